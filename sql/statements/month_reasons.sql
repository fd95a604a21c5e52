-- Failure causes (kind failed) or ignore reasons (kind ignored) of one month, the
-- most frequent first.
SELECT reason, sum(requests) AS requests
FROM day_count
WHERE task = (SELECT task FROM task WHERE id = ?1)
  AND day BETWEEN ?2 || '-01' AND ?2 || '-31' AND kind = ?3
GROUP BY reason HAVING sum(requests) <> 0
ORDER BY requests DESC, reason
