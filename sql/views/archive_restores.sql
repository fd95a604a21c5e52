-- Archived objects that their source was asked to bring back, each time that it was.
CREATE VIEW archive_restores AS
SELECT task.id AS task, name, number AS run, asked_at,
       strftime('%Y-%m-%dT%H:%M:%S', asked_at / 1000 + asked_offset * 60, 'unixepoch')
           || printf('.%03d%s%02d:%02d', asked_at % 1000, iif(asked_offset < 0, '-', '+'),
                     abs(asked_offset) / 60, abs(asked_offset) % 60) AS asked_at_local,
       tier, days, size_bytes,
       awaited AND EXISTS (
           SELECT 1 FROM request
           WHERE request.task = archive_restore.task AND request.name = archive_restore.name
             AND state = 'pending') AS awaited
FROM archive_restore
JOIN run USING (run)
JOIN task ON task.task = archive_restore.task;
