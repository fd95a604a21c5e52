-- The attempts of one request, the first first.
SELECT attempt, number, at, offset_minutes, outcome, attempt.reason,
       source_etag, source_size_bytes, source_modified_at,
       destination_etag, destination_size_bytes, destination_modified_at,
       iif(copy_etag = '=', source_etag, copy_etag), verified, error_code, http_status, server_request_id, duration_ms, message,
       attempt.retries, attempt.throttled,
       -- What both ends asked for in the minutes of the attempt, whichever object it met.
       (SELECT coalesce(sum(times), 0) FROM throttled_minute AS minute
        WHERE minute.run = attempt.run AND side = 'source'
          AND minute_at > at - duration_ms - 60000 AND minute_at <= at),
       (SELECT coalesce(sum(times), 0) FROM throttled_minute AS minute
        WHERE minute.run = attempt.run AND side = 'destination'
          AND minute_at > at - duration_ms - 60000 AND minute_at <= at),
       EXISTS (SELECT 1 FROM suspect
               WHERE suspect.run = attempt.run AND suspect.request = attempt.request),
       iif(run.destination_prefix = '', NULL,
           run.destination_prefix || (SELECT name FROM request WHERE request = ?1))
FROM attempt JOIN run ON run.run = attempt.run
WHERE request = ?1
ORDER BY attempt
