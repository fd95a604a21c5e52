-- Failure causes (kind failed) or ignore reasons (kind ignored) of one month, the
-- most frequent first.
SELECT reason, sum(requests) AS requests
FROM day_count JOIN task USING (task)
WHERE task.id = ?1 AND substr(day, 1, 7) = ?2 AND kind = ?3
GROUP BY reason HAVING sum(requests) <> 0
ORDER BY requests DESC, reason
