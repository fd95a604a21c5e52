-- Each settled request against the attempt that settled it, and its count of attempts.
SELECT printf('request %d of %s: %s in run %s is not what its attempts say', request, id, state,
              coalesce(run, 'none'))
FROM request
JOIN task USING (task)
WHERE attempts <> (SELECT count(*) FROM attempt WHERE attempt.request = request.request)
   OR (request.run IS NOT NULL
       AND NOT EXISTS (SELECT 1 FROM attempt
                       WHERE attempt.request = request.request AND attempt.run = request.run
                         AND attempt.outcome = request.state
                         AND attempt.reason IS request.reason
                         AND attempt.at = request.settled_at))
LIMIT 100
