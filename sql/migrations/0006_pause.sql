-- Tasks that runs leave alone.

-- Since when the task is paused; NULL: it is not.
ALTER TABLE task ADD COLUMN paused_at INTEGER;
ALTER TABLE task ADD COLUMN paused_offset INTEGER;
-- When it was resumed last; NULL: it never was.
ALTER TABLE task ADD COLUMN resumed_at INTEGER;
-- When it was first known.
ALTER TABLE task ADD COLUMN entered_at INTEGER;
UPDATE task SET entered_at = (
    SELECT min(at) FROM (SELECT loaded_at AS at FROM list WHERE list.task = task.task
                         UNION ALL SELECT started_at FROM run WHERE run.task = task.task));
