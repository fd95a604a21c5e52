-- What a run that could not begin would have taken, but for the requests that an
-- earlier run of the same outage named. An outage lasts until a run of the task
-- takes something and begins. Nothing for a run that did begin.
INSERT OR IGNORE INTO begin_failure (run, request)
SELECT run.run, request.request
FROM run
JOIN request ON request.task = run.task AND request.state = 'pending'
            AND request.request <= run.taken_through
WHERE run.run = ?1 AND run.begin_cause IS NOT NULL
  AND NOT EXISTS (
      SELECT 1 FROM run AS earlier
      JOIN begin_failure AS named ON named.run = earlier.run AND named.request = request.request
      WHERE earlier.task = run.task AND earlier.run < run.run
        AND earlier.run > (SELECT coalesce(max(began.run), 0) FROM run AS began
                           WHERE began.task = run.task AND began.run < run.run
                             AND began.begin_cause IS NULL AND began.taken > 0))
