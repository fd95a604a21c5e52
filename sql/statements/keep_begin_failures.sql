-- What a run that could not begin would have taken, but for the names that an
-- earlier run of the same outage listed. An outage lasts until a run of the task
-- takes something and begins. Nothing for a run that did begin.
INSERT OR IGNORE INTO begin_failure (run, request)
SELECT run.run, request.request
FROM run
JOIN request ON request.task = run.task AND request.state = 'pending'
            AND request.request <= run.taken_through
WHERE run.run = ?1 AND run.begin_cause IS NOT NULL
  AND NOT EXISTS (
      SELECT 1 FROM request AS same
      JOIN begin_failure AS listed ON listed.request = same.request
      JOIN run AS earlier ON earlier.run = listed.run
      WHERE same.task = run.task AND same.name = request.name AND same.state = 'pending'
        AND earlier.run < run.run
        AND earlier.run > (SELECT coalesce(max(began.run), 0) FROM run AS began
                           WHERE began.task = run.task AND began.run < run.run
                             AND began.begin_cause IS NULL AND began.taken > 0))
