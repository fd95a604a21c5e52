-- The tallies of a task, from its days.
UPDATE task SET
    requested = (SELECT coalesce(sum(requests), 0) FROM day_count
                 WHERE day_count.task = ?1 AND kind = 'requested'),
    synced = (SELECT coalesce(sum(requests), 0) FROM day_count
              WHERE day_count.task = ?1 AND kind = 'synced'),
    failed = (SELECT coalesce(sum(requests), 0) FROM day_count
              WHERE day_count.task = ?1 AND kind = 'failed'),
    ignored = (SELECT coalesce(sum(requests), 0) FROM day_count
               WHERE day_count.task = ?1 AND kind = 'ignored'),
    last_intake_at = (SELECT max(started_at) FROM run WHERE run.task = ?1)
WHERE task = ?1
