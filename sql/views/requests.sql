-- Every request and where it stands. Two halves, so that a search by name uses an index.
CREATE VIEW requests AS
SELECT task.id AS task, request, name, list.path AS list, line, state, reason,
       requested_at,
       strftime('%Y-%m-%dT%H:%M:%S', requested_at / 1000 + requested_offset * 60, 'unixepoch')
           || printf('.%03d%s%02d:%02d', requested_at % 1000, iif(requested_offset < 0, '-', '+'),
                     abs(requested_offset) / 60, abs(requested_offset) % 60) AS requested_at_local,
       settled_at, NULL AS settled_at_local,
       NULL AS run, attempts, size_bytes
FROM request JOIN task USING (task) JOIN list USING (list)
WHERE state = 'pending'
UNION ALL
SELECT task.id, request, name, list.path, line, request.state, reason,
       requested_at,
       strftime('%Y-%m-%dT%H:%M:%S', requested_at / 1000 + requested_offset * 60, 'unixepoch')
           || printf('.%03d%s%02d:%02d', requested_at % 1000, iif(requested_offset < 0, '-', '+'),
                     abs(requested_offset) / 60, abs(requested_offset) % 60),
       settled_at,
       strftime('%Y-%m-%dT%H:%M:%S', settled_at / 1000 + settled_offset * 60, 'unixepoch')
           || printf('.%03d%s%02d:%02d', settled_at % 1000, iif(settled_offset < 0, '-', '+'),
                     abs(settled_offset) / 60, abs(settled_offset) % 60),
       run.number, attempts, size_bytes
FROM request JOIN task USING (task) JOIN list USING (list) LEFT JOIN run USING (run)
WHERE request.state <> 'pending';
