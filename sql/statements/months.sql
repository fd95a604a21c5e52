-- The months that have figures, the newest first. From each to the next before it
-- an index leads, so that days in between cost nothing.
WITH RECURSIVE figured (task, month) AS (
    SELECT task.task, (SELECT substr(max(day), 1, 7) FROM day_count
                       WHERE day_count.task = task.task)
    FROM task WHERE id = ?1
    UNION ALL
    SELECT task, (SELECT substr(max(day), 1, 7) FROM day_count
                  WHERE day_count.task = figured.task AND day < month || '-01')
    FROM figured WHERE month IS NOT NULL)
SELECT month FROM figured WHERE month IS NOT NULL
