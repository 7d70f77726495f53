-- The logs of a realm, their ends, and the keys that make effects happen once.

CREATE TABLE head (
    log TEXT NOT NULL PRIMARY KEY,
    position INTEGER NOT NULL,
    hash BLOB NOT NULL,
    frontier BLOB NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO head (log, position, hash, frontier) VALUES
    ('access', 0, x'0000000000000000000000000000000000000000000000000000000000000000', x''),
    ('events', 0, x'0000000000000000000000000000000000000000000000000000000000000000', x'');

CREATE TABLE event (
    position INTEGER NOT NULL PRIMARY KEY,
    stream TEXT NOT NULL,
    version INTEGER NOT NULL,
    kind TEXT NOT NULL,
    schema INTEGER NOT NULL,
    actor TEXT NOT NULL,
    at INTEGER NOT NULL,
    cause INTEGER,
    request TEXT NOT NULL,
    payload BLOB NOT NULL,
    resources BLOB NOT NULL,
    previous BLOB NOT NULL,
    hash BLOB NOT NULL,
    UNIQUE (stream, version)
) STRICT;

CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON event
    BEGIN SELECT RAISE(ABORT, 'the event log only grows'); END;
CREATE TRIGGER event_is_never_removed BEFORE DELETE ON event
    BEGIN SELECT RAISE(ABORT, 'the event log only grows'); END;

CREATE TABLE access_log (
    position INTEGER NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    roles TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    purpose TEXT NOT NULL,
    outcome TEXT NOT NULL,
    request TEXT NOT NULL,
    detail BLOB,
    previous BLOB NOT NULL,
    hash BLOB NOT NULL
) STRICT;

CREATE INDEX access_log_by_target ON access_log (target, position);
CREATE INDEX access_log_by_actor ON access_log (actor, position);

CREATE TRIGGER access_log_is_never_changed BEFORE UPDATE ON access_log
    BEGIN SELECT RAISE(ABORT, 'the access log only grows'); END;
CREATE TRIGGER access_log_is_never_removed BEFORE DELETE ON access_log
    BEGIN SELECT RAISE(ABORT, 'the access log only grows'); END;

CREATE TABLE effect (
    effect_key TEXT NOT NULL PRIMARY KEY,
    subject TEXT NOT NULL
) STRICT, WITHOUT ROWID;
