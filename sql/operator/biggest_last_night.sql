-- Question: which objects were the biggest that each task's last run copied?
-- Parameters: :limit (default 20), :task (default: all), :run (default: the last one that copied)
-- Try:
--   .parameter set :limit 2
-- Answer:
--   task    run  size     seconds  name
--   ------  ---  -------  -------  -----
--   photos  2    5242880  0.12     d.jpg
--   photos  2    1000     0.12     e.jpg
SELECT task, run, source_size_bytes AS size, duration_ms / 1000.0 AS seconds, name
FROM object_history
JOIN (SELECT task, max(run) AS run FROM run_history
      WHERE synced > 0 AND task = coalesce(:task, task) AND run = coalesce(:run, run)
      GROUP BY task) USING (task, run)
WHERE outcome = 'synced'
ORDER BY size DESC, name
LIMIT coalesce(:limit, 20);
