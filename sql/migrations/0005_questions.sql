-- What is asked at any time must not cost more the longer the history is.

-- Failed requests: those of one run side by side, by name, and beside them those
-- that are carried over.
DROP INDEX request_failed;
CREATE INDEX request_failed ON request (task, carry, run, name) WHERE state = 'failed';
