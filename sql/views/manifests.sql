-- The manifest of each run that has one, by which its lists can be proven.
CREATE VIEW manifests AS
SELECT task.id AS task, number AS run, run_id,
       'manifests/' || run_name || '.manifest.json' AS path, manifest_sha256 AS sha256
FROM run JOIN task USING (task)
WHERE manifest_sha256 IS NOT NULL;
