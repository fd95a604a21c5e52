-- Requests without an outcome, and why the last run that took them left them.
CREATE VIEW pending_requests AS
SELECT task.id AS task, request, name, requested_at,
       strftime('%Y-%m-%dT%H:%M:%S', requested_at / 1000 + requested_offset * 60, 'unixepoch')
           || printf('.%03d%s%02d:%02d', requested_at % 1000, iif(requested_offset < 0, '-', '+'),
                     abs(requested_offset) / 60, abs(requested_offset) % 60) AS requested_at_local,
       attempts, last_cause,
       (SELECT iif(request.request <= run.taken_through, run.deferral, NULL) FROM run
        WHERE run.task = request.task AND run.state <> 'running'
        ORDER BY number DESC LIMIT 1) AS deferral
FROM request JOIN task USING (task)
WHERE state = 'pending';
