-- Alarms of operation and what is still to be told of them. Codes, counts, times and ids; no person.

CREATE TABLE alarm (
    id TEXT NOT NULL PRIMARY KEY,
    code TEXT NOT NULL,
    organization TEXT,
    component TEXT NOT NULL,
    severity TEXT NOT NULL,
    raised_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    count INTEGER NOT NULL,
    figures TEXT NOT NULL,
    acknowledged_at INTEGER,
    acknowledged_by TEXT,
    cleared_at INTEGER,
    version INTEGER NOT NULL
) STRICT;

CREATE INDEX alarm_by_time ON alarm (raised_at, id);
CREATE INDEX alarm_standing ON alarm (code, component) WHERE cleared_at IS NULL;

CREATE TABLE alarm_notice (
    alarm TEXT NOT NULL,
    channel TEXT NOT NULL,
    kind TEXT NOT NULL,
    number INTEGER NOT NULL,
    due INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    PRIMARY KEY (alarm, channel, kind)
) STRICT;

CREATE INDEX alarm_notice_by_due ON alarm_notice (due);
