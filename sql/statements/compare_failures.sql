-- Names that failed in the run ?1 and in the one before it, ?2: how many only in the
-- first, in both, and only in the second, of which the first settled all it took.
-- A name fails in a run if any of its requests does.
WITH tonight AS MATERIALIZED (
    SELECT DISTINCT name
    FROM attempt INDEXED BY attempt_failed JOIN request USING (request)
    WHERE attempt.run = ?1 AND outcome = 'failed'),
before AS MATERIALIZED (
    SELECT DISTINCT name, task
    FROM attempt INDEXED BY attempt_failed JOIN request USING (request)
    WHERE attempt.run = ?2 AND outcome = 'failed')
SELECT (SELECT count(*) FROM tonight WHERE name NOT IN (SELECT name FROM before)),
       (SELECT count(*) FROM tonight WHERE name IN (SELECT name FROM before)),
       (SELECT count(*) FROM before
        WHERE name NOT IN (SELECT name FROM tonight)
          AND EXISTS (SELECT 1 FROM request INDEXED BY request_settled
                      JOIN attempt USING (request)
                      WHERE request.task = before.task AND request.name = before.name
                        AND request.state <> 'pending' AND attempt.run = ?1))
