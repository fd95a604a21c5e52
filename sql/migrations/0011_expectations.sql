-- What a task is expected to bring, and what is borne of it.

-- When names were last taken in for the task; NULL: never.
ALTER TABLE task ADD COLUMN last_requested_at INTEGER;
UPDATE task SET last_requested_at = (
    SELECT max(loaded_at) FROM list WHERE list.task = task.task AND requests > 0);

-- Of its failed requests those that did not count for the exit code.
ALTER TABLE run ADD COLUMN tolerated INTEGER NOT NULL DEFAULT 0 CHECK (tolerated >= 0);

-- When all was well last: found without a look at the runs since.
CREATE INDEX run_good ON run (task, number) WHERE exit_code = 0;
