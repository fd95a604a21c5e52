-- Why requests failed in one run, the most frequent cause first, each with the name
-- that comes first.
SELECT attempt.reason, count(*) AS requests, min(name)
FROM attempt INDEXED BY attempt_failed JOIN request USING (request)
WHERE attempt.run = ?1 AND outcome = 'failed'
GROUP BY attempt.reason
ORDER BY requests DESC, attempt.reason
