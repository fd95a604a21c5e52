-- The books of each task: pending is counted anew, the rest are the kept tallies.
CREATE VIEW books AS
WITH counted AS MATERIALIZED (
    SELECT id, requested, synced, failed, ignored,
           (SELECT count(*) FROM request
            WHERE request.task = task.task AND request.state = 'pending') AS pending
    FROM task)
SELECT id AS task, requested, synced, failed, ignored, pending,
       requested = synced + failed + ignored + pending AS balanced
FROM counted;
