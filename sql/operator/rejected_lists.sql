-- Question: which lists had lines that cannot be requests, and why?
-- Parameters: :task (default: all)
-- Try:
--   .parameter set :task photos
-- Answer:
--   task    list                     reason       lines  first  excerpt
--   ------  -----------------------  -----------  -----  -----  ----------
--   photos  object_lists/monday.txt  dot_segment  1      6      x/../y.jpg
SELECT task, list, reason, count(*) AS lines, min(line) AS first, excerpt
FROM rejected_lines
WHERE task = coalesce(:task, task)
GROUP BY task, list, reason
ORDER BY task, list, first;
