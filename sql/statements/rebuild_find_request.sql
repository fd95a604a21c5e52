-- The request of run ?3 that its next line about a name settles: the first pending
-- one, else the first failed one, which must have been taken up again.
SELECT request FROM (
    SELECT request, 0 AS later FROM request
    WHERE task = ?1 AND name = ?2 AND state = 'pending'
    UNION ALL
    SELECT request, 1 FROM request
    WHERE task = ?1 AND name = ?2 AND state <> 'pending' AND state = 'failed'
      AND NOT EXISTS (SELECT 1 FROM attempt
                      WHERE attempt.request = request.request AND attempt.run = ?3)
)
ORDER BY later, request
LIMIT 1
