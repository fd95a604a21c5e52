-- Our own last copies of the task ?1 under the prefix ?4 behind the name ?2, at
-- most ?3 of them, in byte order; the size is that of the request that was synced last, if that is
-- still there.
SELECT name, source_etag, copy_etag,
       (SELECT size_bytes FROM request
        WHERE request.task = ?1 AND request.name = last_copy.name
          AND state <> 'pending' AND state = 'synced'
        ORDER BY settled_at DESC LIMIT 1)
FROM last_copy
WHERE task = ?1 AND name > ?2 AND destination_prefix = ?4
ORDER BY name LIMIT ?3;
