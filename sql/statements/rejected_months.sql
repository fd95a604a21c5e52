-- The months from one on in which lists with rejected lines were last loaded, the newest
-- first; each is looked up in the index, however many lists there are.
WITH RECURSIVE found (month) AS (
    SELECT max(strftime('%Y-%m', loaded_at / 1000 + loaded_offset * 60, 'unixepoch'))
    FROM list INDEXED BY list_rejected
    WHERE task = (SELECT task FROM task WHERE id = ?1) AND rejected > 0
    UNION ALL
    SELECT (SELECT max(strftime('%Y-%m', loaded_at / 1000 + loaded_offset * 60, 'unixepoch'))
            FROM list INDEXED BY list_rejected
            WHERE task = (SELECT task FROM task WHERE id = ?1) AND rejected > 0
              AND strftime('%Y-%m', loaded_at / 1000 + loaded_offset * 60, 'unixepoch') < month)
    FROM found
    WHERE month IS NOT NULL
)
SELECT month FROM found WHERE month >= ?2
