-- Each spot check against what it found, and the findings against their spot check.
SELECT printf('the spot check of run %d of %s says %d drifted and %d undecided, its findings %d and %d',
              number, id, copies_drifted + ignored_drifted, undecided, drifted, others)
FROM (SELECT spot_check.*,
             (SELECT count(*) FROM spot_finding AS found
              WHERE found.run = spot_check.run AND finding IN ('differs', 'gone')) AS drifted,
             (SELECT count(*) FROM spot_finding AS found
              WHERE found.run = spot_check.run AND finding NOT IN ('differs', 'gone')) AS others
      FROM spot_check) AS checked
JOIN run USING (run) JOIN task USING (task)
WHERE copies_drifted + ignored_drifted <> drifted OR undecided <> others
   OR copies_drifted > copies OR ignored_drifted > checked.ignored
UNION ALL
SELECT printf('run %d of %s has findings of a spot check, and no spot check', number, id)
FROM run JOIN task USING (task)
WHERE run IN (SELECT run FROM spot_finding) AND run NOT IN (SELECT run FROM spot_check)
LIMIT 100
