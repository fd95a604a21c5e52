-- Every request and where it stands. Two halves, so that a search by name uses an index.
CREATE VIEW requests AS
SELECT task.id AS task, request, name, list.path AS list, line, state, reason,
       requested_at, requested_at_local, settled_at, settled_at_local,
       NULL AS run, attempts, size_bytes
FROM request JOIN task USING (task) JOIN list USING (list)
WHERE state = 'pending'
UNION ALL
SELECT task.id, request, name, list.path, line, request.state, reason,
       requested_at, requested_at_local, settled_at, settled_at_local,
       run.number, attempts, size_bytes
FROM request JOIN task USING (task) JOIN list USING (list) LEFT JOIN run USING (run)
WHERE request.state <> 'pending';
