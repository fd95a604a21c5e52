-- The requests for one name, the first first, and why the last run left those
-- that are pending. Two halves, so that both use an index.
SELECT request, path, line, requested_at, requested_offset, state, reason, settled_at,
       settled_offset,
       CASE WHEN state = 'pending' THEN
           (SELECT CASE
                       WHEN asked.request > run.taken_through THEN NULL
                       WHEN run.awaiting > 0 AND EXISTS (
                           SELECT 1 FROM archive_restore AS awaited
                           WHERE awaited.task = asked.task AND awaited.name = asked.name
                             AND awaited = 1 AND left_by = run.run) THEN 'awaiting_restore'
                       ELSE run.deferral
                   END
            FROM run
            WHERE run.task = asked.task AND run.state <> 'running'
            ORDER BY number DESC LIMIT 1) END
FROM (SELECT * FROM request
      WHERE task = (SELECT task FROM task WHERE id = ?1) AND name = ?2 AND state = 'pending'
      UNION ALL
      SELECT * FROM request
      WHERE task = (SELECT task FROM task WHERE id = ?1) AND name = ?2 AND state <> 'pending')
     AS asked
JOIN list USING (list)
ORDER BY request
