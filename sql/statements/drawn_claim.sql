-- The claim of the request ?2 of the task ?1, if it is the last of its name that
-- was synced, and the copy lies under the prefix ?3: so each name is in exactly one
-- number.
SELECT request.name, source_etag, copy_etag, size_bytes
FROM request JOIN last_copy ON last_copy.task = ?1 AND last_copy.name = request.name
     AND last_copy.destination_prefix = ?3
WHERE request = ?2 AND request.task = ?1 AND state = 'synced'
  AND NOT EXISTS (SELECT 1 FROM request AS later
                  WHERE later.task = ?1 AND later.name = request.name
                    AND later.state <> 'pending' AND later.state = 'synced'
                    AND later.request > ?2);
