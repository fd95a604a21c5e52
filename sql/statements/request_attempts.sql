-- The attempts of one request, the first first.
SELECT attempt, number, at, offset_minutes, outcome, attempt.reason,
       source_etag, source_size_bytes, source_modified_at,
       destination_etag, destination_size_bytes, destination_modified_at,
       copy_etag, verified, error_code, http_status, server_request_id, duration_ms, message
FROM attempt JOIN run ON run.run = attempt.run
WHERE request = ?1
ORDER BY attempt
