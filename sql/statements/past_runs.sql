-- Runs of a task before one, the newest first.
SELECT number, run_id, run_name, state, started_at, started_offset, ended_at, ended_offset,
       taken_through IS NOT NULL, taken, run.synced, run.failed, run.ignored,
       coalesce(deferred, taken - run.synced - run.failed - run.ignored), synced_bytes,
       run.rejected, retries, throttled, requests_sent, exit_code, exit_reasons,
       coalesce(begin_message,
                'the ' || breaker_side || ' failed ' || breaker_failures
                    || ' objects in a row: ' || breaker_message),
       tolerated,
       (SELECT count(*) FROM suspect WHERE suspect.run = run.run),
       wanted, copies, copies_drifted, spot_check.ignored, ignored_drifted, undecided, skipped
FROM run JOIN task USING (task) LEFT JOIN spot_check USING (run)
WHERE task.id = ?1 AND number < ?2
ORDER BY number DESC
LIMIT ?3
