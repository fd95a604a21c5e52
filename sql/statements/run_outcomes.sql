-- What one run did, in the order of its lists: by time, then by name.
SELECT at, offset_minutes, name, outcome, attempt.reason, source_size_bytes, error_code
FROM attempt JOIN request USING (request)
WHERE attempt.run = ?1
ORDER BY at, name, request
