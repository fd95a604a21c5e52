-- Lines that cannot be requests, with the reason.
CREATE VIEW rejected_lines AS
SELECT task.id AS task, path AS list, line, reason, excerpt
FROM rejected_line JOIN list USING (list) JOIN task USING (task);
