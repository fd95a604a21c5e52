-- The first ?3 of the lines that run ?2 of task ?1 itself rejected, in the order in which
-- it read them. CROSS JOIN keeps the order of the loops: what is read is what is told.
SELECT list_load.path, line, reason, excerpt
FROM run JOIN task USING (task)
CROSS JOIN list_load ON list_load.task = run.task AND list_load.number = run.number
                    AND loaded_at >= started_at AND list_load.rejected > 0
CROSS JOIN rejected_line ON rejected_line.list = list_load.list
                        AND rejected_line.load = list_load.load
WHERE task.id = ?1 AND run.number = ?2
ORDER BY list_load.load, line
LIMIT ?3
