-- Objects that were ignored although the tags of both ends say that their bytes differ,
-- as far as no later run copied them or found something else.
CREATE VIEW suspect_objects AS
SELECT task.id AS task, request.name, run.destination_prefix || request.name AS destination_name,
       suspect.request, run.number AS run, attempt.at,
       strftime('%Y-%m-%dT%H:%M:%S', at / 1000 + attempt.offset_minutes * 60, 'unixepoch')
           || printf('.%03d%s%02d:%02d', at % 1000, iif(attempt.offset_minutes < 0, '-', '+'),
                     abs(attempt.offset_minutes) / 60, abs(attempt.offset_minutes) % 60) AS at_local,
       attempt.reason, attempt.source_size_bytes AS size_bytes,
       attempt.source_etag, attempt.source_modified_at,
       attempt.destination_etag, attempt.destination_modified_at
FROM run JOIN suspect USING (run) JOIN task USING (task)
JOIN attempt ON attempt.request = suspect.request AND attempt.run = suspect.run
JOIN request ON request.request = suspect.request
WHERE NOT EXISTS (
    SELECT 1 FROM request AS asked JOIN attempt AS later ON later.request = asked.request
    WHERE asked.task = request.task AND asked.name = request.name AND asked.state <> 'pending'
      AND later.run > suspect.run
      AND (later.outcome = 'synced'
           OR later.reason IN ('already_copied', 'same_checksum')
           OR (later.reason IN ('newer_at_destination', 'exists')
               AND (later.source_etag IS NOT attempt.source_etag
                    OR later.destination_etag IS NOT attempt.destination_etag
                    OR EXISTS (SELECT 1 FROM suspect AS again
                               WHERE again.run = later.run AND again.request = later.request)))));
