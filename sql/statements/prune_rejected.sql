-- The next rejected lines of lists that were last loaded from before the month ?1.
DELETE FROM rejected_line WHERE (list, line) IN (
    SELECT list, line FROM rejected_line JOIN list USING (list)
    WHERE loaded_at / 1000 + loaded_offset * 60 < CAST(strftime('%s', ?1 || '-01') AS INTEGER)
    LIMIT ?2)
