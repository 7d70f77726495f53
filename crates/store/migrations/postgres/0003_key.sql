-- Wrapped keys. `wrapped` is empty once the key is destroyed.

CREATE TABLE wrapped_key (
    id text COLLATE "C" NOT NULL PRIMARY KEY,
    kind text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    wrapped_by text COLLATE "C" NOT NULL,
    wrapped bytea NOT NULL,
    state text COLLATE "C" NOT NULL,
    destroyed_at bigint,
    created_at bigint NOT NULL
);

CREATE INDEX wrapped_key_by_subject ON wrapped_key (subject, created_at, id);
CREATE INDEX wrapped_key_by_wrapper ON wrapped_key (wrapped_by, id);

-- The server's statistics would keep samples of what an erasure removes.
ALTER TABLE wrapped_key ALTER COLUMN wrapped SET STATISTICS 0;
