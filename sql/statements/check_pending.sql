-- What is kept of pending requests against their rows.
SELECT printf('task %s: %d pending requests too many are kept as asked for at %s.%03dZ', id,
              sum(compared.requests), datetime(requested_at / 1000, 'unixepoch'),
              requested_at % 1000)
FROM (SELECT task, requested_at, requested_offset, requests FROM pending_count
      UNION ALL
      SELECT task, requested_at, requested_offset, -1 FROM request WHERE state = 'pending')
     AS compared
JOIN task USING (task)
GROUP BY task, requested_at, requested_offset
HAVING sum(compared.requests) <> 0
ORDER BY id, requested_at
LIMIT 100
