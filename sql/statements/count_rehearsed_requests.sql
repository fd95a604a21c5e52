-- How many requests those names stand for.
SELECT (SELECT count(*) FROM request WHERE task = ?1 AND state = 'pending')
     + (SELECT count(*) FROM request JOIN task USING (task)
        WHERE request.task = ?1 AND state = 'failed' AND carry = 1
          AND first_failed_day + carry_over_days >= ?2 AND coalesce(carried_day, 0) < ?2)
