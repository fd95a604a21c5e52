-- The pending requests of a task by when they were asked for.
INSERT INTO pending_count (task, requested_at, requested_offset, requests)
SELECT task, requested_at, requested_offset, count(*)
FROM request WHERE task = ?1 AND state = 'pending' GROUP BY 1, 2, 3
