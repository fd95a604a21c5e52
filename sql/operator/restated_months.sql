-- Question: which months are no longer as they were closed?
-- Parameters: :task (default: all)
-- Try:
--   .parameter set :task photos
-- Answer:
--   task    month    said_synced  synced  said_failed  failed  said_ignored  ignored
--   ------  -------  -----------  ------  -----------  ------  ------------  -------
--   photos  2026-10  3            3       2            1       2             2
SELECT task, month, month_close.synced AS said_synced, month_summary.synced,
       month_close.failed AS said_failed, month_summary.failed,
       month_close.ignored AS said_ignored, month_summary.ignored
FROM month_close JOIN month_summary USING (task, month)
WHERE task = coalesce(:task, task)
  AND (month_close.requested, month_close.synced, month_close.failed, month_close.ignored,
       month_close.synced_bytes)
   <> (month_summary.requested, month_summary.synced, month_summary.failed, month_summary.ignored,
       month_summary.synced_bytes)
ORDER BY task, month;
