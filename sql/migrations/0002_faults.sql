-- What a run must remember before it acts, so that the next one understands
-- what it finds after a crash.

-- Copies that were about to be made: committed before a name's first byte is
-- written, removed by the outcome. What stands here after a run was perhaps put
-- and not recorded; the destination shows.
CREATE TABLE planned_copy (
    task                    INTEGER NOT NULL REFERENCES task,
    name                    TEXT    NOT NULL,
    source_etag             TEXT    NOT NULL,
    -- Its MD5 in hexadecimal, where the source states it.
    source_md5              TEXT,
    source_size_bytes       INTEGER NOT NULL,
    -- What the destination had then; NULL: nothing.
    destination_etag        TEXT,
    destination_modified_at INTEGER,
    PRIMARY KEY (task, name)
) STRICT, WITHOUT ROWID;

-- Multipart uploads of ours that the destination holds: resumed part by part,
-- or aborted.
CREATE TABLE upload (
    upload      INTEGER PRIMARY KEY,
    task        INTEGER NOT NULL REFERENCES task,
    name        TEXT    NOT NULL,
    upload_id   TEXT    NOT NULL,
    source_etag TEXT    NOT NULL,
    size_bytes  INTEGER NOT NULL,
    part_bytes  INTEGER NOT NULL,
    UNIQUE (task, name)
) STRICT;

-- Their parts that have arrived, with the digests of what was read.
CREATE TABLE upload_part (
    upload   INTEGER NOT NULL REFERENCES upload ON DELETE CASCADE,
    -- From 1.
    part     INTEGER NOT NULL,
    etag     TEXT    NOT NULL,
    md5      BLOB    NOT NULL,
    crc      INTEGER,
    -- The state of the MD5 over this part and all before it.
    whole_md5 BLOB,
    verified TEXT    NOT NULL CHECK (verified IN (
        'etag_md5', 'content_md5', 'crc32c', 'crc64nvme', 'sha256', 'size_only')),
    PRIMARY KEY (upload, part)
) STRICT, WITHOUT ROWID;

-- The breaker that ended a run early: the side that went on refusing or failing,
-- the cause and the words of its last failure, how many objects in a row it
-- failed and since when.
ALTER TABLE run ADD COLUMN breaker_side TEXT CHECK (breaker_side IN ('source', 'destination'));
ALTER TABLE run ADD COLUMN breaker_cause TEXT CHECK (breaker_cause IN (
    'source_missing', 'source_denied', 'source_archived', 'source_changed',
    'destination_denied', 'destination_full', 'throttled', 'server_error', 'network',
    'timeout', 'integrity', 'metadata_refused', 'too_large', 'bad_request', 'internal',
    'credentials_refused', 'account_blocked', 'bucket_missing', 'endpoint_unreachable',
    'permission_missing', 'clock_skew'));
ALTER TABLE run ADD COLUMN breaker_since INTEGER;
ALTER TABLE run ADD COLUMN breaker_offset INTEGER;
ALTER TABLE run ADD COLUMN breaker_failures INTEGER;
ALTER TABLE run ADD COLUMN breaker_message TEXT;
-- How often each end asked for a slower pace, minute by minute: committed with
-- the outcomes, so that a run that dies has said so.
CREATE TABLE throttled_minute (
    run       INTEGER NOT NULL REFERENCES run,
    side      TEXT    NOT NULL CHECK (side IN ('source', 'destination')),
    -- When the minute began.
    minute_at INTEGER NOT NULL,
    times     INTEGER NOT NULL,
    PRIMARY KEY (run, side, minute_at)
) STRICT, WITHOUT ROWID;

-- How often something was tried again for the object, and asked for a slower
-- pace; NULL: recorded before this was.
ALTER TABLE attempt ADD COLUMN retries INTEGER;
ALTER TABLE attempt ADD COLUMN throttled INTEGER;
-- Each loading of a part of an input list, so that a run's journal can tell it.
-- sha256, loaded_bytes and lines are of the list as far as it was loaded with
-- this part; requests and rejected are this part's own.
CREATE TABLE list_load (
    load              INTEGER PRIMARY KEY,
    task              INTEGER NOT NULL REFERENCES task,
    list              INTEGER NOT NULL REFERENCES list,
    -- The run at work then, or, between runs, the next: its journal tells it, or
    -- that of the first run after it that took something.
    number            INTEGER NOT NULL,
    path              TEXT    NOT NULL,
    first_line_sha256 TEXT    NOT NULL,
    sha256            TEXT    NOT NULL,
    loaded_bytes      INTEGER NOT NULL,
    lines             INTEGER NOT NULL,
    requests          INTEGER NOT NULL,
    rejected          INTEGER NOT NULL,
    -- Its requests are this one and those that follow; NULL: none.
    first_request     INTEGER,
    requested_at      INTEGER NOT NULL,
    requested_offset  INTEGER NOT NULL,
    loaded_at         INTEGER NOT NULL,
    loaded_offset     INTEGER NOT NULL,
    zone              TEXT    NOT NULL
) STRICT;
CREATE INDEX list_load_by_run ON list_load (task, number);

-- The part with which a rejected line came.
ALTER TABLE rejected_line ADD COLUMN load INTEGER REFERENCES list_load;

-- Requests taken back, by the run whose journal tells it.
CREATE TABLE withdrawal (
    task    INTEGER NOT NULL REFERENCES task,
    number  INTEGER NOT NULL,
    request INTEGER NOT NULL REFERENCES request,
    PRIMARY KEY (task, number, request)
) STRICT, WITHOUT ROWID;
CREATE INDEX withdrawal_by_request ON withdrawal (request);

-- What `ledger prune` took away, so that what is left and this together are
-- still every figure: requests by day as day_count has them,
CREATE TABLE pruned_count (
    task     INTEGER NOT NULL REFERENCES task,
    day      TEXT    NOT NULL,
    kind     TEXT    NOT NULL CHECK (kind IN ('requested', 'synced', 'failed', 'ignored')),
    reason   TEXT    NOT NULL,
    requests INTEGER NOT NULL,
    bytes    INTEGER NOT NULL,
    PRIMARY KEY (task, day, kind, reason)
) STRICT, WITHOUT ROWID;

-- and attempts by run. The lists of a run that stands here cannot be made again.
CREATE TABLE pruned_run (
    run     INTEGER PRIMARY KEY REFERENCES run,
    synced  INTEGER NOT NULL,
    failed  INTEGER NOT NULL,
    ignored INTEGER NOT NULL
) STRICT;

-- Up to which month (not included) a task's settled requests may be gone.
CREATE TABLE pruned_task (
    task   INTEGER PRIMARY KEY REFERENCES task,
    before TEXT    NOT NULL
) STRICT;

-- Input lists by the time of loading: a run owes those that came since the last one.
CREATE INDEX list_by_loading ON list (task, loaded_at);
