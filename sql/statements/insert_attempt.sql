-- One attempt; its number is the request's count of attempts, already raised.
INSERT INTO attempt (
    request, run, attempt, at, offset_minutes, outcome, reason,
    source_etag, source_size_bytes, source_modified_at,
    destination_etag, destination_size_bytes, destination_modified_at,
    copy_etag, verified, error_code, http_status, server_request_id, duration_ms, message,
    retries, throttled)
SELECT request, ?2, attempts, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,
       ?18, ?19, ?20, ?21
FROM request WHERE request = ?1
