-- What a check found and was asked to have carried again, and the run that answered it.
CREATE VIEW mends AS
SELECT task.id AS task, name, finding, found_at,
       strftime('%Y-%m-%dT%H:%M:%S', found_at / 1000 + found_offset * 60, 'unixepoch')
           || printf('.%03d%s%02d:%02d', found_at % 1000, iif(found_offset < 0, '-', '+'),
                     abs(found_offset) / 60, abs(found_offset) % 60) AS found_at_local,
       destination_etag, run.number AS run
FROM mend JOIN task USING (task) LEFT JOIN run USING (run);
