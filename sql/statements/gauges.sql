-- Where a task stands: its books, what waits, what is owed, its last run.
SELECT task.requested, task.synced, task.failed, task.ignored,
       (SELECT coalesce(sum(requests), 0) FROM pending_count
        WHERE pending_count.task = task.task),
       (SELECT min(requested_at) FROM pending_count WHERE pending_count.task = task.task),
       (SELECT coalesce(sum(bytes), 0) FROM day_count
        WHERE day_count.task = task.task AND kind = 'synced'),
       (SELECT coalesce(sum(rejected), 0) FROM list WHERE list.task = task.task AND rejected > 0),
       (SELECT count(*) FROM delivery WHERE delivery.task = task.task AND delivery.state = 'owed'),
       paused_at IS NOT NULL, last_requested_at,
       (SELECT good.ended_at FROM run AS good
        WHERE good.task = task.task AND good.exit_code = 0 ORDER BY good.number DESC LIMIT 1),
       last.number, last.state, last.started_at, last.ended_at, last.taken, last.synced,
       last.failed, last.ignored,
       coalesce(last.deferred, last.taken - last.synced - last.failed - last.ignored),
       last.synced_bytes, last.exit_code,
       wanted, copies, copies_drifted, spot_check.ignored, ignored_drifted, undecided, skipped
FROM task
LEFT JOIN run AS last ON last.task = task.task
    AND last.number = (SELECT max(number) FROM run WHERE run.task = task.task)
LEFT JOIN spot_check ON spot_check.run = last.run
WHERE id = ?1
