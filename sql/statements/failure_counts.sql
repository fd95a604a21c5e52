-- How many requests failed in which month, or in this one, and for which cause; the
-- newest month first.
SELECT substr(day, 1, 7) AS month, reason, sum(requests) AS requests
FROM day_count
WHERE task = (SELECT task FROM task WHERE id = ?1) AND kind = 'failed'
  AND day BETWEEN coalesce(?2, '') || '-01' AND coalesce(?2, '9999-12') || '-31'
GROUP BY month, reason HAVING sum(requests) <> 0
ORDER BY month DESC, reason
