-- Question: what did one name go through?
-- Parameters: :task, :name
-- Try:
--   .parameter set :task photos
--   .parameter set :name d.jpg
-- Answer:
--   request  run  at_local                       outcome  reason     size     verified  error_code
--   -------  ---  -----------------------------  -------  ---------  -------  --------  ----------
--   4        1    2026-10-06T01:00:04.000+08:00  failed   throttled                     SlowDown
--   4        2    2026-10-07T01:00:01.000+08:00  synced              5242880  etag_md5
SELECT request, run, at_local, outcome, reason, source_size_bytes AS size, verified, error_code
FROM object_history
WHERE task = :task AND name = :name
ORDER BY at, request;
