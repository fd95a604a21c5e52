-- Requests behind ?1 and up to ?2 of which only figures are worth keeping: settled
-- before the month ?3, by their own clocks, and not to be taken up again by
-- themselves; no run that is at work, or whose lists are not written or not
-- delivered, has anything to do with them, and none is still to tell that they
-- were withdrawn. Suspects stay: whoever looks after them needs their facts. The newest request stays, so that its
-- number is not given away a second time.
SELECT request FROM request
WHERE request > ?1 AND request <= ?2 AND +state <> 'pending' AND carry = 0
  AND settled_at / 1000 + settled_offset * 60 < CAST(strftime('%s', ?3 || '-01') AS INTEGER)
  AND request < (SELECT max(request) FROM request)
  AND NOT EXISTS (SELECT 1 FROM suspect WHERE suspect.request = request.request)
  AND NOT EXISTS (
      SELECT 1 FROM withdrawal
      WHERE withdrawal.request = request.request
        AND NOT EXISTS (SELECT 1 FROM run
                        WHERE run.task = withdrawal.task AND run.number >= withdrawal.number
                          AND run.taken > 0 AND run.listed = 1
                          AND NOT EXISTS (SELECT 1 FROM delivery
                                          WHERE delivery.run = run.run
                                            AND delivery.state = 'owed')))
  AND NOT EXISTS (
      SELECT 1
      FROM (SELECT run FROM attempt WHERE attempt.request = request.request
            UNION ALL
            SELECT run FROM begin_failure WHERE begin_failure.request = request.request) AS used
      JOIN run ON run.run = used.run
      WHERE run.state = 'running' OR run.listed = 0
         OR EXISTS (SELECT 1 FROM delivery
                    WHERE delivery.run = run.run AND delivery.state = 'owed'))
