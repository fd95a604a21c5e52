-- Input lists and what was loaded of each.
CREATE VIEW loaded_lists AS
SELECT task.id AS task, path AS list, sha256, lines, requests, rejected, loaded_at, loaded_at_local
FROM list JOIN task USING (task);
