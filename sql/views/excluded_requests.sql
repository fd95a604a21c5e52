-- Requests that a run left out because the task does not take them, and by which of its
-- rules; rule is NULL where the ledger was made again from lists.
CREATE VIEW excluded_requests AS
SELECT task.id AS task, request.request, name, run.number AS run, settled_at AS excluded_at,
       strftime('%Y-%m-%dT%H:%M:%S', settled_at / 1000 + settled_offset * 60, 'unixepoch')
           || printf('.%03d%s%02d:%02d', settled_at % 1000, iif(settled_offset < 0, '-', '+'),
                     abs(settled_offset) / 60, abs(settled_offset) % 60) AS excluded_at_local,
       message AS rule, source_size_bytes, source_modified_at
FROM request
JOIN task USING (task)
JOIN run ON run.run = request.run
LEFT JOIN attempt ON attempt.request = request.request AND attempt.run = request.run
WHERE request.state = 'ignored' AND request.reason = 'excluded';
