-- Names that a run would take from the ledger: pending ones, and failed ones
-- that would be carried over today.
INSERT OR IGNORE INTO temp.rehearsed
SELECT name FROM request WHERE task = ?1 AND state = 'pending'
UNION ALL
SELECT name FROM request JOIN task USING (task)
WHERE request.task = ?1 AND state = 'failed' AND carry = 1
  AND first_failed_day + carry_over_days >= ?2 AND coalesce(carried_day, 0) < ?2
