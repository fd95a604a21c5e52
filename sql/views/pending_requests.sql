-- Requests without an outcome, and why the last run that took them left them.
CREATE VIEW pending_requests AS
SELECT task.id AS task, request, name, requested_at,
       strftime('%Y-%m-%dT%H:%M:%S', requested_at / 1000 + requested_offset * 60, 'unixepoch')
           || printf('.%03d%s%02d:%02d', requested_at % 1000, iif(requested_offset < 0, '-', '+'),
                     abs(requested_offset) / 60, abs(requested_offset) % 60) AS requested_at_local,
       attempts, last_cause,
       (SELECT CASE
                   WHEN request.request > run.taken_through THEN NULL
                   WHEN run.awaiting > 0 AND EXISTS (
                       SELECT 1 FROM archive_restore AS awaited
                       WHERE awaited.task = request.task AND awaited.name = request.name
                         AND awaited = 1 AND left_by = run.run) THEN 'awaiting_restore'
                   ELSE run.deferral
               END
        FROM run
        WHERE run.task = request.task AND run.state <> 'running'
        ORDER BY number DESC LIMIT 1) AS deferral
FROM request JOIN task USING (task)
WHERE state = 'pending';
