-- In which minutes, and how often, the ends of a run asked for a slower pace.
CREATE VIEW throttling AS
SELECT task.id AS task, run.number AS run, side, minute_at AS at,
       strftime('%Y-%m-%dT%H:%M:%S', minute_at / 1000 + started_offset * 60, 'unixepoch')
           || printf('.%03d%s%02d:%02d', minute_at % 1000, iif(started_offset < 0, '-', '+'),
                     abs(started_offset) / 60, abs(started_offset) % 60) AS at_local,
       times
FROM throttled_minute JOIN run USING (run) JOIN task USING (task);
