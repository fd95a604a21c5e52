-- Question: how fast was each of the last :limit runs?
-- Parameters: :limit (default 20), :task (default: all)
-- Try:
--   .parameter set :limit 2
-- Answer:
--   task    run  started           minutes  objects  per_second  mib_per_second  throttled
--   ------  ---  ----------------  -------  -------  ----------  --------------  ---------
--   photos  2    2026-10-07T01:00  0.2      2        0.2         0.5             0
--   photos  1    2026-10-06T01:00  0.2      5        0.5         0.3             0
SELECT task, run, substr(started_at_local, 1, 16) AS started,
       round((ended_at - started_at) / 60000.0, 1) AS minutes,
       synced + failed + ignored AS objects,
       round((synced + failed + ignored) * 1000.0 / (ended_at - started_at), 1) AS per_second,
       round(synced_bytes / 1048.576 / (ended_at - started_at), 1) AS mib_per_second,
       throttled
FROM run_history
WHERE task = coalesce(:task, task) AND ended_at > started_at
ORDER BY started_at DESC, task
LIMIT coalesce(:limit, 20);
