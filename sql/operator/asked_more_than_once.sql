-- Question: which names were asked for most often?
-- Parameters: :limit (default 20), :task (default: all)
-- Try:
--   .parameter set :limit 3
-- Answer:
--   task    requests  synced  name
--   ------  --------  ------  -----
--   photos  2         1       a.jpg
SELECT task, count(*) AS requests, sum(state = 'synced') AS synced, name
FROM requests
WHERE task = coalesce(:task, task)
GROUP BY task, name
HAVING count(*) > 1
ORDER BY requests DESC, task, name
LIMIT coalesce(:limit, 20);
