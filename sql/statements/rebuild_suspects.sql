-- Tells of a suspect what its list does not: its tags at both ends.
UPDATE attempt
SET source_etag = told.source_etag, destination_etag = told.destination_etag,
    destination_size_bytes = source_size_bytes
FROM temp.suspects AS told
WHERE attempt.request = told.request AND attempt.run = ?1
