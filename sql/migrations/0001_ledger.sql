-- The ledger's first form. Tables are private; sql/views/ is what operators query.
-- Never edited after a release: a change is a new migration.
--
-- Times are milliseconds since the epoch; beside each stands the offset (local
-- minus UTC, minutes) that the task's zone had then, from which the *_local
-- twin and the day are derived. So no query needs a time-zone database.

-- A task as last seen in the configuration, and its books: requested minus the
-- three outcomes is pending. Every transaction that changes a request changes
-- them too.
CREATE TABLE task (
    task            INTEGER PRIMARY KEY,
    id              TEXT    NOT NULL UNIQUE,
    zone            TEXT    NOT NULL,
    offset_minutes  INTEGER NOT NULL,
    carry_over_days INTEGER NOT NULL,
    last_intake_at  INTEGER,
    requested       INTEGER NOT NULL DEFAULT 0 CHECK (requested >= 0),
    synced          INTEGER NOT NULL DEFAULT 0 CHECK (synced >= 0),
    failed          INTEGER NOT NULL DEFAULT 0 CHECK (failed >= 0),
    ignored         INTEGER NOT NULL DEFAULT 0 CHECK (ignored >= 0)
) STRICT;

-- An input list: a path and what was loaded from it. When another list takes
-- its place at the path, it stays, no longer current. sha256 is of its first
-- loaded_bytes bytes; first_line_sha256 of its first line without the line end,
-- cut at 4 KiB, by which a renamed list is found again. lines counts blank ones
-- too. fingerprint is how its source knows it unchanged (device, inode, size
-- and times; entity tag); NULL: read it again.
CREATE TABLE list (
    list              INTEGER PRIMARY KEY,
    task              INTEGER NOT NULL REFERENCES task,
    path              TEXT    NOT NULL,
    current           INTEGER NOT NULL DEFAULT 1 CHECK (current IN (0, 1)),
    first_line_sha256 TEXT    NOT NULL,
    sha256            TEXT    NOT NULL,
    loaded_bytes      INTEGER NOT NULL,
    lines             INTEGER NOT NULL,
    requests          INTEGER NOT NULL,
    rejected          INTEGER NOT NULL,
    fingerprint       TEXT,
    loaded_at         INTEGER NOT NULL,
    loaded_offset     INTEGER NOT NULL,
    zone              TEXT    NOT NULL,
    loaded_at_local   TEXT GENERATED ALWAYS AS (
        strftime('%Y-%m-%dT%H:%M:%S', loaded_at / 1000 + loaded_offset * 60, 'unixepoch')
        || printf('.%03d%s%02d:%02d', loaded_at % 1000, iif(loaded_offset < 0, '-', '+'),
                  abs(loaded_offset) / 60, abs(loaded_offset) % 60)) VIRTUAL
) STRICT;
CREATE UNIQUE INDEX list_by_path ON list (task, path) WHERE current = 1;
CREATE INDEX list_by_first_line ON list (task, first_line_sha256);

-- Lines that cannot be requests: 1,000 a list, then one row for the remainder.
CREATE TABLE rejected_line (
    list    INTEGER NOT NULL REFERENCES list,
    line    INTEGER NOT NULL,
    reason  TEXT    NOT NULL CHECK (reason IN (
        'not_utf8', 'too_long', 'bad_percent_encoding', 'empty_name', 'nul', 'dot_segment',
        'reserved_prefix')),
    excerpt TEXT    NOT NULL,
    PRIMARY KEY (list, line)
) STRICT, WITHOUT ROWID;

-- One execution for one task.
CREATE TABLE run (
    run              INTEGER PRIMARY KEY,
    task             INTEGER NOT NULL REFERENCES task,
    number           INTEGER NOT NULL,
    run_id           TEXT    NOT NULL UNIQUE,
    run_name         TEXT    NOT NULL,
    state            TEXT    NOT NULL CHECK (state IN ('running', 'interrupted', 'ended')),
    zone             TEXT    NOT NULL,
    started_at       INTEGER NOT NULL,
    started_offset   INTEGER NOT NULL,
    ended_at         INTEGER,
    ended_offset     INTEGER,
    -- Requests up to this id that were pending are the taken ones; NULL: nothing taken yet.
    taken_through    INTEGER,
    taken            INTEGER NOT NULL DEFAULT 0,
    synced           INTEGER NOT NULL DEFAULT 0,
    failed           INTEGER NOT NULL DEFAULT 0,
    ignored          INTEGER NOT NULL DEFAULT 0,
    deferred         INTEGER,
    rejected         INTEGER NOT NULL DEFAULT 0,
    synced_bytes     INTEGER NOT NULL DEFAULT 0,
    retries          INTEGER NOT NULL DEFAULT 0,
    throttled        INTEGER NOT NULL DEFAULT 0,
    requests_sent    INTEGER NOT NULL DEFAULT 0,
    -- Why taken requests stayed pending.
    deferral         TEXT CHECK (deferral IN (
        'window_ended', 'stopped', 'limit', 'breaker_open', 'could_not_begin', 'awaiting_restore')),
    -- The first name, in the order of work, that was left (while at work, the
    -- last one recorded): the next run begins with it, so that no name waits for
    -- ever when nights are too short.
    resume_name      TEXT,
    -- 1: its lists and manifest are written.
    listed           INTEGER NOT NULL DEFAULT 0 CHECK (listed IN (0, 1)),
    -- Why the run could not begin; begin_failure has what it would have taken.
    begin_cause      TEXT CHECK (begin_cause IN (
        'source_missing', 'source_denied', 'source_archived', 'source_changed',
        'destination_denied', 'destination_full', 'throttled', 'server_error', 'network',
        'timeout', 'integrity', 'metadata_refused', 'too_large', 'bad_request', 'internal',
        'credentials_refused', 'account_blocked', 'bucket_missing', 'endpoint_unreachable',
        'permission_missing', 'clock_skew')),
    begin_error_code TEXT,
    begin_message    TEXT,
    exit_code        INTEGER,
    exit_reasons     TEXT,
    started_at_local TEXT GENERATED ALWAYS AS (
        strftime('%Y-%m-%dT%H:%M:%S', started_at / 1000 + started_offset * 60, 'unixepoch')
        || printf('.%03d%s%02d:%02d', started_at % 1000, iif(started_offset < 0, '-', '+'),
                  abs(started_offset) / 60, abs(started_offset) % 60)) VIRTUAL,
    ended_at_local   TEXT GENERATED ALWAYS AS (
        strftime('%Y-%m-%dT%H:%M:%S', ended_at / 1000 + ended_offset * 60, 'unixepoch')
        || printf('.%03d%s%02d:%02d', ended_at % 1000, iif(ended_offset < 0, '-', '+'),
                  abs(ended_offset) / 60, abs(ended_offset) % 60)) VIRTUAL,
    UNIQUE (task, number)
) STRICT;
CREATE INDEX run_running ON run (task) WHERE state = 'running';
CREATE INDEX run_unlisted ON run (task) WHERE listed = 0;

-- One object name asked for once. Its local times, and those of attempts, are
-- computed in the views: a generated column is computed at every insert.
CREATE TABLE request (
    request            INTEGER PRIMARY KEY,
    task               INTEGER NOT NULL REFERENCES task,
    name               TEXT    NOT NULL,
    list               INTEGER NOT NULL REFERENCES list,
    line               INTEGER NOT NULL,
    requested_at       INTEGER NOT NULL,
    requested_offset   INTEGER NOT NULL,
    -- The usual word is asked for first: a longer IN makes a temporary table for every row.
    state              TEXT    NOT NULL DEFAULT 'pending'
        CHECK (state = 'pending' OR state IN ('pending', 'synced', 'failed', 'ignored')),
    reason             TEXT,
    settled_at         INTEGER,
    settled_offset     INTEGER,
    -- The run that settled it; NULL while pending and when it was withdrawn.
    run                INTEGER REFERENCES run,
    attempts           INTEGER NOT NULL DEFAULT 0,
    size_bytes         INTEGER,
    last_cause         TEXT,
    -- Days since the epoch, local: of the first failure, and of the last carry-over.
    first_failed_day   INTEGER,
    carried_day        INTEGER,
    -- 1: failed, and worth another night.
    carry              INTEGER NOT NULL DEFAULT 0 CHECK (carry IN (0, 1)),
    CHECK ((state = 'pending') = (settled_at IS NULL)),
    CHECK (CASE state
        WHEN 'failed' THEN reason IS NOT NULL AND reason IN (
            'source_missing', 'source_denied', 'source_archived', 'source_changed',
            'destination_denied', 'destination_full', 'throttled', 'server_error', 'network',
            'timeout', 'integrity', 'metadata_refused', 'too_large', 'bad_request', 'internal',
            'credentials_refused', 'account_blocked', 'bucket_missing', 'endpoint_unreachable',
            'permission_missing', 'clock_skew')
        WHEN 'ignored' THEN reason IS NOT NULL AND reason IN (
            'newer_at_destination', 'already_copied', 'same_checksum', 'exists', 'duplicate',
            'excluded', 'withdrawn')
        ELSE reason IS NULL END)
) STRICT;
-- A request stands in one of these two, by name: in the first until it is
-- settled, in the second from then on. Both change in name order during a run.
CREATE INDEX request_pending ON request (task, name, request) WHERE state = 'pending';
CREATE INDEX request_settled ON request (task, name, request) WHERE state <> 'pending';
CREATE INDEX request_failed ON request (task, carry, settled_at) WHERE state = 'failed';

-- What one run did about one request. Never changed once written.
CREATE TABLE attempt (
    request                 INTEGER NOT NULL REFERENCES request,
    run                     INTEGER NOT NULL REFERENCES run,
    attempt                 INTEGER NOT NULL,
    at                      INTEGER NOT NULL,
    offset_minutes          INTEGER NOT NULL,
    outcome                 TEXT    NOT NULL CHECK (outcome IN ('synced', 'failed', 'ignored')),
    reason                  TEXT,
    source_etag             TEXT,
    source_size_bytes       INTEGER,
    source_modified_at      INTEGER,
    destination_etag        TEXT,
    destination_size_bytes  INTEGER,
    destination_modified_at INTEGER,
    copy_etag               TEXT,
    verified                TEXT CHECK (verified IN (
        'etag_md5', 'content_md5', 'crc32c', 'crc64nvme', 'sha256', 'size_only')),
    error_code              TEXT,
    http_status             INTEGER,
    server_request_id       TEXT,
    duration_ms             INTEGER NOT NULL,
    message                 TEXT,
    PRIMARY KEY (request, run)
) STRICT, WITHOUT ROWID;
CREATE INDEX attempt_by_run ON attempt (run, at);

-- What a run that could not begin would have taken, for its creation_failures
-- list; names that an earlier run of the same outage listed are left out.
-- Kept because a request's state goes on changing, and the list must not.
CREATE TABLE begin_failure (
    run     INTEGER NOT NULL REFERENCES run,
    request INTEGER NOT NULL REFERENCES request,
    PRIMARY KEY (run, request)
) STRICT, WITHOUT ROWID;
CREATE INDEX begin_failure_by_request ON begin_failure (request);

-- Our own last copy of each name: the rule's second line rests on it.
CREATE TABLE last_copy (
    task        INTEGER NOT NULL REFERENCES task,
    name        TEXT    NOT NULL,
    source_etag TEXT    NOT NULL,
    copy_etag   TEXT    NOT NULL,
    PRIMARY KEY (task, name)
) STRICT, WITHOUT ROWID;

-- Requests by local day: asked for on it, or their present outcome reached on it.
CREATE TABLE day_count (
    task     INTEGER NOT NULL REFERENCES task,
    day      TEXT    NOT NULL,
    kind     TEXT    NOT NULL CHECK (kind IN ('requested', 'synced', 'failed', 'ignored')),
    -- The failure cause or ignore reason; empty for the other kinds.
    reason   TEXT    NOT NULL,
    requests INTEGER NOT NULL,
    bytes    INTEGER NOT NULL,
    PRIMARY KEY (task, day, kind, reason)
) STRICT, WITHOUT ROWID;

-- A month as it stood when the first run of a later month began.
CREATE TABLE month_closed (
    task         INTEGER NOT NULL REFERENCES task,
    month        TEXT    NOT NULL,
    closed_at    INTEGER NOT NULL,
    requested    INTEGER NOT NULL,
    synced       INTEGER NOT NULL,
    failed       INTEGER NOT NULL,
    ignored      INTEGER NOT NULL,
    synced_bytes INTEGER NOT NULL,
    PRIMARY KEY (task, month)
) STRICT, WITHOUT ROWID;

-- Files that belong in the destination bucket, by their path under the task's prefix.
CREATE TABLE delivery (
    task         INTEGER NOT NULL REFERENCES task,
    path         TEXT    NOT NULL,
    -- The run whose list it is; NULL: an input list.
    run          INTEGER REFERENCES run,
    lines        INTEGER NOT NULL,
    bytes        INTEGER NOT NULL,
    sha256       TEXT    NOT NULL,
    state        TEXT    NOT NULL CHECK (state IN ('owed', 'delivered', 'local', 'conflict')),
    -- The destination's entity tag of what was delivered.
    etag         TEXT,
    delivered_at INTEGER,
    problem      TEXT,
    PRIMARY KEY (task, path)
) STRICT, WITHOUT ROWID;
CREATE INDEX delivery_owed ON delivery (task, run) WHERE state = 'owed';
CREATE INDEX delivery_by_run ON delivery (run) WHERE run IS NOT NULL;
