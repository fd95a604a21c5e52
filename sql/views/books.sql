-- The books of each task. What is pending is not worked out from the rest: it is
-- counted as rows become pending and cease to be.
CREATE VIEW books AS
WITH counted AS MATERIALIZED (
    SELECT id, requested, synced, failed, ignored,
           (SELECT coalesce(sum(requests), 0) FROM pending_count
            WHERE pending_count.task = task.task) AS pending
    FROM task)
SELECT id AS task, requested, synced, failed, ignored, pending,
       requested = synced + failed + ignored + pending AS balanced
FROM counted;
