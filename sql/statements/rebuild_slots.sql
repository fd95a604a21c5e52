-- The figures of each five minutes of a task, counted from its requests.
INSERT INTO slot_count (task, kind, slot_at, requests, bytes)
SELECT task, 'requested', requested_at / 300000 * 300000 AS slot_at, count(*), 0
FROM request WHERE task = ?1 GROUP BY slot_at
UNION ALL
SELECT task, state, settled_at / 300000 * 300000 AS slot_at, count(*),
       sum(iif(state = 'synced', coalesce(size_bytes, 0), 0))
FROM request WHERE task = ?1 AND state <> 'pending' GROUP BY state, slot_at
