-- What is asked at any time must not cost more the longer the history is.

-- Failed requests: those of one run side by side, by name, and beside them those
-- that are carried over.
DROP INDEX request_failed;
CREATE INDEX request_failed ON request (task, carry, run, name) WHERE state = 'failed';

-- Pending requests by when they were asked for: how many there are, and since when
-- the oldest waits. Whoever changes the state of a request changes it too.
CREATE TABLE pending_count (
    task             INTEGER NOT NULL REFERENCES task,
    requested_at     INTEGER NOT NULL,
    requested_offset INTEGER NOT NULL,
    requests         INTEGER NOT NULL,
    PRIMARY KEY (task, requested_at, requested_offset)
) STRICT, WITHOUT ROWID;
INSERT INTO pending_count (task, requested_at, requested_offset, requests)
SELECT task, requested_at, requested_offset, count(*)
FROM request NOT INDEXED WHERE state = 'pending' GROUP BY 1, 2, 3;
