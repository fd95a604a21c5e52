-- A run that is over, with its books.
SELECT task.id, number, run_id, run_name, state, run.zone,
       started_at, started_offset, ended_at, ended_offset,
       taken, run.synced, run.failed, run.ignored,
       coalesce(deferred, taken - run.synced - run.failed - run.ignored), synced_bytes,
       begin_cause, begin_error_code, coalesce(begin_message, '')
FROM run JOIN task USING (task)
WHERE run.run = ?1 AND state <> 'running' AND ended_at IS NOT NULL
