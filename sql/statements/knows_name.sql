-- Whether the task ?1 knows the name ?2: was ever asked for it, or copied it.
SELECT EXISTS (SELECT 1 FROM request WHERE task = ?1 AND name = ?2 AND state <> 'pending')
    OR EXISTS (SELECT 1 FROM request WHERE task = ?1 AND name = ?2 AND state = 'pending')
    OR EXISTS (SELECT 1 FROM last_copy WHERE task = ?1 AND name = ?2);
