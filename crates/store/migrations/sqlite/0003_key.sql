-- Wrapped keys. `wrapped` is empty once the key is destroyed.

CREATE TABLE wrapped_key (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    wrapped_by TEXT NOT NULL,
    wrapped BLOB NOT NULL,
    state TEXT NOT NULL,
    destroyed_at INTEGER,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX wrapped_key_by_subject ON wrapped_key (subject, created_at, id);
CREATE INDEX wrapped_key_by_wrapper ON wrapped_key (wrapped_by, id);
