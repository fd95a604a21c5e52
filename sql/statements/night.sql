-- What the row of a run says beside its books.
SELECT run.run, deferral, begin_cause, breaker_side, breaker_cause, manifest_sha256,
       (SELECT count(*) FROM delivery INDEXED BY delivery_owed
        WHERE delivery.task = task.task AND delivery.state = 'owed'),
       (SELECT problem FROM delivery INDEXED BY delivery_owed
        WHERE delivery.task = task.task AND delivery.state = 'owed' AND problem IS NOT NULL LIMIT 1),
       awaiting
FROM run JOIN task USING (task)
WHERE task.id = ?1 AND number = ?2
