-- Every run with its books. While one is at work, deferred is what it has still to do.
CREATE VIEW run_history AS
SELECT task.id AS task, number AS run, run_id, run_name, state,
       started_at, started_at_local, ended_at, ended_at_local,
       taken, run.synced, run.failed, run.ignored,
       coalesce(deferred, taken - run.synced - run.failed - run.ignored) AS deferred,
       rejected, synced_bytes, retries, throttled, requests_sent, exit_code, exit_reasons
FROM run JOIN task USING (task);
