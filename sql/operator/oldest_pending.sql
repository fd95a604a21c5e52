-- Question: which requests have waited longest?
-- Parameters: :limit (default 20), :task (default: all)
-- Try:
--   .parameter set :limit 3
-- Answer:
--   task    requested_at_local             attempts  last_cause  deferral         name
--   ------  -----------------------------  --------  ----------  ---------------  -----
--   photos  2026-10-06T12:00:00.000+08:00  0                     could_not_begin  f.jpg
SELECT task, requested_at_local, attempts, last_cause, deferral, name
FROM pending_requests
WHERE task = coalesce(:task, task)
ORDER BY requested_at, request
LIMIT coalesce(:limit, 20);
