-- What the mail of a night tells, and mails that are still to be sent.

-- The SHA-256 of the run's manifest, whose lists it vouches for; NULL: it has none.
ALTER TABLE run ADD COLUMN manifest_sha256 TEXT;
UPDATE run SET manifest_sha256 = (
    SELECT sha256 FROM delivery WHERE delivery.run = run.run AND path LIKE 'manifests/%');

-- What failed in a run, for the comparison of two nights. Few among many, so that
-- it costs only those.
CREATE INDEX attempt_failed ON attempt (run) WHERE outcome = 'failed';

-- Mails that no server has taken yet. Each stands here before it is sent, and goes
-- once it was taken.
CREATE TABLE owed_mail (
    mail            INTEGER PRIMARY KEY,
    -- What stands in front of the @ of its Message-ID: the same however often it is sent.
    id              TEXT    NOT NULL UNIQUE,
    made_at         INTEGER NOT NULL,
    made_offset     INTEGER NOT NULL,
    subject         TEXT    NOT NULL,
    text            TEXT    NOT NULL,
    html            TEXT    NOT NULL,
    attachment_name TEXT,
    attachment      TEXT,
    -- Why it was not taken when it was last sent.
    problem         TEXT
) STRICT;
