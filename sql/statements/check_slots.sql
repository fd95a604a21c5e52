-- The figures of each five minutes against the requests of that time. Of requests that
-- were pruned, all before the month from which on all is kept, only the sum is known:
-- it is that of the days.
WITH counted AS (
    SELECT task, 'requested' AS kind, requested_at / 300000 * 300000 AS slot_at,
           count(*) AS requests, 0 AS bytes
    FROM request GROUP BY 1, 3
    UNION ALL
    SELECT task, state, settled_at / 300000 * 300000, count(*),
           sum(iif(state = 'synced', coalesce(size_bytes, 0), 0))
    FROM request WHERE state <> 'pending' GROUP BY 1, 2, 3
), compared AS (
    SELECT task, kind, slot_at, sum(requests) AS requests, sum(bytes) AS bytes
    FROM (SELECT task, kind, slot_at, requests, bytes FROM slot_count
          UNION ALL
          SELECT task, kind, slot_at, -requests, -bytes FROM counted)
    GROUP BY 1, 2, 3
    UNION ALL
    SELECT task, kind, NULL, sum(requests), sum(bytes)
    FROM (SELECT task, kind, requests, bytes FROM slot_count
          UNION ALL
          SELECT task, kind, -requests, -bytes FROM day_count)
    GROUP BY 1, 2
)
SELECT printf('%s %s: %s is kept %d requests and %d bytes too high', id,
              coalesce(strftime('%Y-%m-%dT%H:%MZ', slot_at / 1000, 'unixepoch'),
                       'by five minutes'), kind, compared.requests, bytes)
FROM compared JOIN task USING (task) LEFT JOIN pruned_task USING (task)
WHERE (compared.requests <> 0 OR bytes <> 0)
  AND (slot_at IS NULL OR before IS NULL OR compared.requests < 0 OR bytes < 0
       OR slot_at / 1000 >= CAST(strftime('%s', before || '-01', '+1 day') AS INTEGER))
ORDER BY id, slot_at
LIMIT 100
