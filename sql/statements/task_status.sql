-- How each task stands: its books, what was rejected, what is owed, its last run.
SELECT id, books.requested, books.synced, books.failed, books.ignored, pending, balanced,
       (SELECT coalesce(sum(rejected), 0) FROM list WHERE list.task = task.task AND rejected > 0),
       (SELECT count(*) FROM delivery WHERE delivery.task = task.task AND delivery.state = 'owed'),
       (SELECT count(*) FROM delivery
        WHERE delivery.task = task.task AND delivery.state = 'conflict'),
       last.number, last.state, last.started_at, last.started_offset, last.exit_reasons,
       coalesce(last.begin_message,
                'the ' || last.breaker_side || ' failed ' || last.breaker_failures
                    || ' objects in a row: ' || last.breaker_message),
       paused_at, paused_offset
FROM task
JOIN books ON books.task = task.id
LEFT JOIN run AS last ON last.task = task.task
    AND last.number = (SELECT max(number) FROM run WHERE run.task = task.task)
WHERE ?1 IS NULL OR id = ?1
ORDER BY id
