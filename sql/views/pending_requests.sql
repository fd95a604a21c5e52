-- Requests without an outcome, and why the last run that took them left them.
CREATE VIEW pending_requests AS
SELECT task.id AS task, request, name, requested_at, requested_at_local, attempts, last_cause,
       (SELECT iif(request.request <= run.taken_through, run.deferral, NULL) FROM run
        WHERE run.task = request.task AND run.state <> 'running'
        ORDER BY number DESC LIMIT 1) AS deferral
FROM request JOIN task USING (task)
WHERE state = 'pending';
