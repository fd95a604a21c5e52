-- What operators changed of runs at work: workers, bytes a second, or the time until when.
CREATE VIEW run_tuning AS
SELECT task.id AS task, run.number AS run, tuning.at,
       strftime('%Y-%m-%dT%H:%M:%S', tuning.at / 1000 + tuning.offset_minutes * 60, 'unixepoch')
           || printf('.%03d%s%02d:%02d', tuning.at % 1000, iif(tuning.offset_minutes < 0, '-', '+'),
                     abs(tuning.offset_minutes) / 60, abs(tuning.offset_minutes) % 60) AS at_local,
       setting, old_value, new_value,
       strftime('%Y-%m-%dT%H:%M:%S', old_value / 1000 + old_offset * 60, 'unixepoch')
           || printf('.%03d%s%02d:%02d', old_value % 1000, iif(old_offset < 0, '-', '+'),
                     abs(old_offset) / 60, abs(old_offset) % 60) AS old_value_local,
       strftime('%Y-%m-%dT%H:%M:%S', new_value / 1000 + new_offset * 60, 'unixepoch')
           || printf('.%03d%s%02d:%02d', new_value % 1000, iif(new_offset < 0, '-', '+'),
                     abs(new_offset) / 60, abs(new_offset) % 60) AS new_value_local
FROM tuning JOIN run USING (run) JOIN task USING (task);
