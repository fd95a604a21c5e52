-- Failed requests by the month in which they failed, by cause and by name, so that
-- a page of them costs the same however many there are. The month is that of
-- day_count, of whose figures these are the rows.
CREATE INDEX request_failed_by_month ON request (
    task, strftime('%Y-%m', settled_at / 1000 + settled_offset * 60, 'unixepoch'), reason, name, request)
WHERE state = 'failed';
