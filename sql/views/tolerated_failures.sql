-- Runs with failures that did not count for the exit code.
CREATE VIEW tolerated_failures AS
SELECT task.id AS task, number AS run, run.failed, tolerated
FROM run JOIN task USING (task) WHERE tolerated > 0;
