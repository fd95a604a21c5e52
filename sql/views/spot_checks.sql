-- What the spot check of each run came to.
CREATE VIEW spot_checks AS
SELECT task.id AS task, number AS run, wanted, copies, copies_drifted, spot_check.ignored,
       ignored_drifted, undecided, skipped
FROM spot_check JOIN run USING (run) JOIN task USING (task);
