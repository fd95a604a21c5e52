-- Keeps what each month before ?3 says of the task ?1, once. Of those before
-- the last that is closed one is looked at again: a ledger's age must cost nothing.
INSERT OR IGNORE INTO month_closed
SELECT task, substr(day, 1, 7), ?2,
       sum(iif(kind = 'requested', requests, 0)), sum(iif(kind = 'synced', requests, 0)),
       sum(iif(kind = 'failed', requests, 0)), sum(iif(kind = 'ignored', requests, 0)),
       sum(iif(kind = 'synced', bytes, 0))
FROM day_count
WHERE task = ?1 AND day < ?3 || '-01'
  AND day >= coalesce((SELECT date(max(month) || '-01', '-1 month') FROM month_closed
                       WHERE task = ?1), '')
GROUP BY task, substr(day, 1, 7)
