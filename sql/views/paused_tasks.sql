-- Tasks that runs leave alone until they are resumed.
CREATE VIEW paused_tasks AS
SELECT id AS task, paused_at,
       strftime('%Y-%m-%dT%H:%M:%S', paused_at / 1000 + paused_offset * 60, 'unixepoch')
           || printf('.%03d%s%02d:%02d', paused_at % 1000, iif(paused_offset < 0, '-', '+'),
                     abs(paused_offset) / 60, abs(paused_offset) % 60) AS paused_at_local
FROM task WHERE paused_at IS NOT NULL;
