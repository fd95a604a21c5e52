-- Every attempt: the facts, the decision and what came of it. Two halves, so
-- that a search by name uses an index.
CREATE VIEW object_history AS
SELECT task.id AS task, name, run.destination_prefix || name AS destination_name, attempt.request, run.number AS run,
       attempt, at,
       strftime('%Y-%m-%dT%H:%M:%S', at / 1000 + attempt.offset_minutes * 60, 'unixepoch')
           || printf('.%03d%s%02d:%02d', at % 1000, iif(attempt.offset_minutes < 0, '-', '+'),
                     abs(attempt.offset_minutes) / 60, abs(attempt.offset_minutes) % 60) AS at_local,
       outcome, attempt.reason, source_etag, source_size_bytes,
       source_modified_at, destination_etag, destination_size_bytes, destination_modified_at,
       iif(copy_etag = '=', source_etag, copy_etag) AS copy_etag, verified, error_code, http_status, server_request_id, duration_ms
FROM attempt JOIN request USING (request) JOIN run ON run.run = attempt.run
JOIN task ON task.task = request.task
WHERE request.state <> 'pending'
UNION ALL
SELECT task.id, name, run.destination_prefix || name, attempt.request, run.number,
       attempt, at,
       strftime('%Y-%m-%dT%H:%M:%S', at / 1000 + attempt.offset_minutes * 60, 'unixepoch')
           || printf('.%03d%s%02d:%02d', at % 1000, iif(attempt.offset_minutes < 0, '-', '+'),
                     abs(attempt.offset_minutes) / 60, abs(attempt.offset_minutes) % 60),
       outcome, attempt.reason, source_etag, source_size_bytes,
       source_modified_at, destination_etag, destination_size_bytes, destination_modified_at,
       iif(copy_etag = '=', source_etag, copy_etag), verified, error_code, http_status, server_request_id, duration_ms
FROM attempt JOIN request USING (request) JOIN run ON run.run = attempt.run
JOIN task ON task.task = request.task
WHERE request.state = 'pending';
