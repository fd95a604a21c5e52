-- Our own last copy of the name ?2 of the task ?1 under the prefix ?3, as next_claims has it.
SELECT name, source_etag, copy_etag,
       (SELECT size_bytes FROM request
        WHERE request.task = ?1 AND request.name = ?2
          AND state <> 'pending' AND state = 'synced'
        ORDER BY settled_at DESC LIMIT 1)
FROM last_copy WHERE task = ?1 AND name = ?2 AND destination_prefix = ?3;
