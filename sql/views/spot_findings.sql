-- What spot checks found that is not the same at both ends, or could not compare.
CREATE VIEW spot_findings AS
SELECT task.id AS task, name, destination_name, request, number AS run, kind, at,
       strftime('%Y-%m-%dT%H:%M:%S', at / 1000 + spot_finding.offset_minutes * 60, 'unixepoch')
           || printf('.%03d%s%02d:%02d', at % 1000, iif(spot_finding.offset_minutes < 0, '-', '+'),
                     abs(spot_finding.offset_minutes) / 60, abs(spot_finding.offset_minutes) % 60) AS at_local,
       finding, cause, message, source_etag, destination_etag
FROM spot_finding JOIN run USING (run) JOIN task USING (task);
