-- Keeps the figures of the requests that are about to go, by day.
INSERT INTO pruned_count (task, day, kind, reason, requests, bytes)
SELECT task, date(requested_at / 1000 + requested_offset * 60, 'unixepoch'), 'requested', '',
       count(*), 0
FROM request WHERE request IN (SELECT request FROM temp.pruning) GROUP BY 1, 2
UNION ALL
SELECT task, date(settled_at / 1000 + settled_offset * 60, 'unixepoch'), state,
       coalesce(reason, ''), count(*), sum(iif(state = 'synced', coalesce(size_bytes, 0), 0))
FROM request WHERE request IN (SELECT request FROM temp.pruning) GROUP BY 1, 2, 3, 4
ON CONFLICT DO UPDATE SET requests = requests + excluded.requests, bytes = bytes + excluded.bytes
