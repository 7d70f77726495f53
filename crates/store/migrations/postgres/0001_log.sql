-- The logs of a realm, their ends, and the keys that make effects happen once.

CREATE TABLE head (
    log text COLLATE "C" NOT NULL PRIMARY KEY,
    position bigint NOT NULL,
    hash bytea NOT NULL,
    frontier bytea NOT NULL
);

INSERT INTO head (log, position, hash, frontier) VALUES
    ('access', 0, '\x0000000000000000000000000000000000000000000000000000000000000000', '\x'),
    ('events', 0, '\x0000000000000000000000000000000000000000000000000000000000000000', '\x');

CREATE TABLE event (
    position bigint NOT NULL PRIMARY KEY,
    stream text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    kind text COLLATE "C" NOT NULL,
    schema bigint NOT NULL,
    actor text COLLATE "C" NOT NULL,
    at bigint NOT NULL,
    cause bigint,
    request text COLLATE "C" NOT NULL,
    payload bytea NOT NULL,
    resources bytea NOT NULL,
    previous bytea NOT NULL,
    hash bytea NOT NULL,
    UNIQUE (stream, version)
);

CREATE TABLE access_log (
    position bigint NOT NULL PRIMARY KEY,
    at bigint NOT NULL,
    actor text COLLATE "C" NOT NULL,
    roles text COLLATE "C" NOT NULL,
    action text COLLATE "C" NOT NULL,
    target text COLLATE "C" NOT NULL,
    purpose text COLLATE "C" NOT NULL,
    outcome text COLLATE "C" NOT NULL,
    request text COLLATE "C" NOT NULL,
    detail bytea,
    previous bytea NOT NULL,
    hash bytea NOT NULL
);

CREATE INDEX access_log_by_target ON access_log (target, position);
CREATE INDEX access_log_by_actor ON access_log (actor, position);

CREATE TABLE effect (
    effect_key text COLLATE "C" NOT NULL PRIMARY KEY,
    subject text COLLATE "C" NOT NULL
);

-- The server's statistics would keep samples of what an erasure removes.
ALTER TABLE effect ALTER COLUMN effect_key SET STATISTICS 0;
