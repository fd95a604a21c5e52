-- What a task waits for from its source's archive: requests, objects, bytes, objects
-- whose size is not known, and since when. Looks at those alone.
SELECT coalesce(sum(requests), 0), count(*), coalesce(sum(size_bytes), 0),
       count(*) - count(size_bytes), min(asked_at), asked_offset
FROM (SELECT size_bytes, asked_at, asked_offset,
             (SELECT count(*) FROM request
              WHERE request.task = awaited.task AND request.name = awaited.name
                AND state = 'pending') AS requests
      FROM archive_restore AS awaited
      WHERE awaited.task = (SELECT task FROM task WHERE id = ?1) AND awaited.awaited = 1)
WHERE requests > 0
