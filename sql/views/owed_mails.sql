-- Mails that no server has taken yet; the next run sends them.
CREATE VIEW owed_mails AS
SELECT id, made_at,
       strftime('%Y-%m-%dT%H:%M:%S', made_at / 1000 + made_offset * 60, 'unixepoch')
           || printf('.%03d%s%02d:%02d', made_at % 1000, iif(made_offset < 0, '-', '+'),
                     abs(made_offset) / 60, abs(made_offset) % 60) AS made_at_local,
       subject, problem
FROM owed_mail;
