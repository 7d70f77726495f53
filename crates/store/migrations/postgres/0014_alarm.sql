-- Alarms of operation and what is still to be told of them. Codes, counts, times and ids; no person.

CREATE TABLE alarm (
    id text COLLATE "C" NOT NULL PRIMARY KEY,
    code text COLLATE "C" NOT NULL,
    organization text COLLATE "C",
    component text COLLATE "C" NOT NULL,
    severity text COLLATE "C" NOT NULL,
    raised_at bigint NOT NULL,
    last_seen_at bigint NOT NULL,
    count bigint NOT NULL,
    figures text COLLATE "C" NOT NULL,
    acknowledged_at bigint,
    acknowledged_by text COLLATE "C",
    cleared_at bigint,
    version bigint NOT NULL
);

CREATE INDEX alarm_by_time ON alarm (raised_at, id);
CREATE INDEX alarm_standing ON alarm (code, component) WHERE cleared_at IS NULL;

CREATE TABLE alarm_notice (
    alarm text COLLATE "C" NOT NULL,
    channel text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    number bigint NOT NULL,
    due bigint NOT NULL,
    attempts bigint NOT NULL,
    PRIMARY KEY (alarm, channel, kind)
);

CREATE INDEX alarm_notice_by_due ON alarm_notice (due);
