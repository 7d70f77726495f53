-- Users, what proves that it is them, and what they hold while signed in.

CREATE TABLE account (
    id TEXT NOT NULL PRIMARY KEY,
    login BLOB NOT NULL UNIQUE,
    roles TEXT NOT NULL,
    active INTEGER NOT NULL,
    version INTEGER NOT NULL,
    sealed BLOB NOT NULL
) STRICT;

CREATE TABLE password (
    account TEXT NOT NULL PRIMARY KEY,
    hash TEXT NOT NULL
) STRICT;

CREATE TABLE session (
    id TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL,
    secret_hash BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    break_glass_until INTEGER,
    break_glass_reason BLOB
) STRICT;

CREATE INDEX session_by_account ON session (account);
CREATE INDEX session_by_end ON session (expires_at);

CREATE TABLE api_token (
    id TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL,
    label TEXT NOT NULL,
    secret_hash BLOB NOT NULL,
    roles TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER
) STRICT;
