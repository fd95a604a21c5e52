-- No run has sent more requests than it is billed for; one that was rebuilt, or
-- recorded before bills were kept, has none.
SELECT printf('%s run %d: %d requests sent, but %d billed', id, number, requests_sent, billed)
FROM run
JOIN task USING (task)
JOIN (SELECT run, sum(lists + heads + gets + puts + parts + creates + completes + aborts + deletes)
                      AS billed
      FROM traffic GROUP BY run) AS bill USING (run)
WHERE requests_sent > billed
ORDER BY id, number
LIMIT 100
