-- Breakers that ended a run early: one side went on refusing or failing.
CREATE VIEW open_breakers AS
SELECT task.id AS task, number AS run, breaker_side AS side, breaker_cause AS cause,
       breaker_failures AS failures, breaker_since AS since,
       strftime('%Y-%m-%dT%H:%M:%S', breaker_since / 1000 + breaker_offset * 60, 'unixepoch')
           || printf('.%03d%s%02d:%02d', breaker_since % 1000, iif(breaker_offset < 0, '-', '+'),
                     abs(breaker_offset) / 60, abs(breaker_offset) % 60) AS since_local,
       breaker_message AS message
FROM run JOIN task USING (task)
WHERE breaker_side IS NOT NULL;
