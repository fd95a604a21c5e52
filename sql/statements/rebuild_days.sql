-- The figures of each day of a task, counted from its requests.
INSERT INTO day_count (task, day, kind, reason, requests, bytes)
SELECT task, date(requested_at / 1000 + requested_offset * 60, 'unixepoch') AS day,
       'requested', '', count(*), 0
FROM request WHERE task = ?1 GROUP BY day
UNION ALL
SELECT task, date(settled_at / 1000 + settled_offset * 60, 'unixepoch') AS day, state,
       coalesce(reason, ''), count(*), sum(iif(state = 'synced', coalesce(size_bytes, 0), 0))
FROM request WHERE task = ?1 AND state <> 'pending' GROUP BY day, state, reason
