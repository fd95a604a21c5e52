-- What a run's spot check came to: how many it was to look at of each kind, how many
-- it could compare, and how many of these are not as the source's.
CREATE TABLE spot_check (
    run             INTEGER PRIMARY KEY REFERENCES run,
    wanted          INTEGER NOT NULL,
    copies          INTEGER NOT NULL,
    copies_drifted  INTEGER NOT NULL,
    ignored         INTEGER NOT NULL,
    ignored_drifted INTEGER NOT NULL,
    -- Looked at, and nothing can be said of them.
    undecided       INTEGER NOT NULL,
    -- Why it was not made, or not to its end.
    skipped         TEXT CHECK (skipped IN (
        'window_ended', 'stopped', 'limit', 'breaker_open', 'could_not_begin', 'awaiting_restore'))
) STRICT;

-- What it found that is not the same. Names stand here once more, for requests may be pruned.
CREATE TABLE spot_finding (
    run              INTEGER NOT NULL REFERENCES run,
    request          INTEGER NOT NULL,
    kind             TEXT    NOT NULL CHECK (kind IN ('copy', 'ignored')),
    name             TEXT    NOT NULL,
    destination_name TEXT    NOT NULL,
    at               INTEGER NOT NULL,
    offset_minutes   INTEGER NOT NULL,
    finding          TEXT    NOT NULL CHECK (finding IN (
        'same', 'differs', 'gone', 'source_changed', 'source_gone', 'unreadable')),
    -- Why it was unreadable.
    cause            TEXT,
    message          TEXT,
    source_etag      TEXT,
    destination_etag TEXT,
    PRIMARY KEY (run, request)
) STRICT, WITHOUT ROWID;
