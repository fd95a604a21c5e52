-- The figures of each day against the requests of that day and what was pruned of them.
WITH counted AS (
    SELECT task, date(requested_at / 1000 + requested_offset * 60, 'unixepoch') AS day,
           'requested' AS kind, '' AS reason, count(*) AS requests, 0 AS bytes
    FROM request GROUP BY 1, 2
    UNION ALL
    SELECT task, date(settled_at / 1000 + settled_offset * 60, 'unixepoch'), state,
           coalesce(reason, ''), count(*), sum(iif(state = 'synced', size_bytes, 0))
    FROM request WHERE state <> 'pending' GROUP BY 1, 2, 3, 4
), compared AS (
    SELECT task, day, kind, reason, requests, bytes FROM day_count
    UNION ALL
    SELECT task, day, kind, reason, -requests, -bytes FROM counted
    UNION ALL
    SELECT task, day, kind, reason, -requests, -bytes FROM pruned_count
)
SELECT printf('%s %s: %s %s is kept %d requests and %d bytes too high',
              id, day, kind, reason, sum(compared.requests), sum(bytes))
FROM compared JOIN task USING (task)
GROUP BY task, day, kind, reason
HAVING sum(compared.requests) <> 0 OR sum(bytes) <> 0
ORDER BY id, day
LIMIT 100
