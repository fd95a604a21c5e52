-- What failed in the run ?1, by cause and name, at most ?3; and whether the name
-- failed in the run before it, ?2, too.
SELECT attempt.reason, at, offset_minutes, name, error_code,
       EXISTS (SELECT 1 FROM request AS other JOIN attempt AS earlier USING (request)
               WHERE other.task = request.task AND other.name = request.name
                 AND other.state <> 'pending' AND earlier.run = ?2
                 AND earlier.outcome = 'failed')
FROM attempt INDEXED BY attempt_failed JOIN request USING (request)
WHERE attempt.run = ?1 AND outcome = 'failed'
ORDER BY attempt.reason, name, request
LIMIT ?3
