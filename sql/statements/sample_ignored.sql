-- Request ?1, if it was the last of the task ?2 that looked at its name, and left it alone.
SELECT request FROM request
WHERE request = ?1 AND task = ?2 AND state = 'ignored'
  AND reason IN ('newer_at_destination', 'already_copied', 'same_checksum', 'exists')
  AND NOT EXISTS (SELECT 1 FROM request AS later
                  WHERE later.task = ?2 AND later.name = request.name
                    AND later.state <> 'pending' AND later.run > request.run
                    AND (later.state = 'synced'
                         OR later.reason IN ('newer_at_destination', 'already_copied',
                                             'same_checksum', 'exists')))
