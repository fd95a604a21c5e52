-- Keeps how many attempts each run loses; a run that only listed what it would
-- have taken loses none, and its list.
INSERT INTO pruned_run (run, synced, failed, ignored)
SELECT run, sum(synced), sum(failed), sum(ignored)
FROM (SELECT run, outcome = 'synced' AS synced, outcome = 'failed' AS failed,
             outcome = 'ignored' AS ignored
      FROM attempt WHERE request IN (SELECT request FROM temp.pruning)
      UNION ALL
      SELECT run, 0, 0, 0 FROM begin_failure WHERE request IN (SELECT request FROM temp.pruning))
WHERE true GROUP BY run
ON CONFLICT DO UPDATE SET synced = synced + excluded.synced, failed = failed + excluded.failed,
    ignored = ignored + excluded.ignored
