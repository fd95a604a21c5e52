-- Question: which names have copies of which only the length was compared?
-- Parameters: :task (default: all)
-- Names of which another copy was proven by a checksum are left out.
-- Try:
--   .parameter set :task photos
-- Answer:
--   task    name   copies  last_copied
--   ------  -----  ------  -----------------------------
--   photos  e.jpg  1       2026-10-07T01:00:02.000+08:00
SELECT task, name, count(*) AS copies, max(at_local) AS last_copied
FROM object_history
WHERE outcome = 'synced' AND task = coalesce(:task, task)
GROUP BY task, name
HAVING max(verified <> 'size_only') = 0
ORDER BY last_copied DESC, name;
