-- The tallies of a task, from its days, and since when it is known.
UPDATE task SET
    requested = (SELECT coalesce(sum(requests), 0) FROM day_count
                 WHERE day_count.task = ?1 AND kind = 'requested'),
    synced = (SELECT coalesce(sum(requests), 0) FROM day_count
              WHERE day_count.task = ?1 AND kind = 'synced'),
    failed = (SELECT coalesce(sum(requests), 0) FROM day_count
              WHERE day_count.task = ?1 AND kind = 'failed'),
    ignored = (SELECT coalesce(sum(requests), 0) FROM day_count
               WHERE day_count.task = ?1 AND kind = 'ignored'),
    last_intake_at = (SELECT max(started_at) FROM run WHERE run.task = ?1),
    last_requested_at = (SELECT max(loaded_at) FROM list_load
                         WHERE list_load.task = ?1 AND requests > 0),
    entered_at = coalesce((SELECT min(at) FROM (
                               SELECT loaded_at AS at FROM list_load WHERE list_load.task = ?1
                               UNION ALL SELECT started_at FROM run WHERE run.task = ?1)),
                          entered_at)
WHERE task = ?1
