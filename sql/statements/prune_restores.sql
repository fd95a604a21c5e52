-- What was asked of an archive for names of which requests go, unless it is awaited.
-- Behind the last request for a name nothing of it is left.
DELETE FROM archive_restore
WHERE awaited = 0
  AND (task, name) IN (SELECT task, name FROM request
                       WHERE request IN (SELECT request FROM temp.pruning))
  AND NOT EXISTS (SELECT 1 FROM request
                  WHERE request.task = archive_restore.task AND request.name = archive_restore.name
                    AND request NOT IN (SELECT request FROM temp.pruning))
