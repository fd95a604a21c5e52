-- Request ?1, if it made the last copy of its name for the task ?2.
SELECT request FROM request
WHERE request = ?1 AND task = ?2 AND state = 'synced'
  AND NOT EXISTS (SELECT 1 FROM request AS later
                  WHERE later.task = ?2 AND later.name = request.name
                    AND later.state <> 'pending' AND later.state = 'synced'
                    AND later.run > request.run)
