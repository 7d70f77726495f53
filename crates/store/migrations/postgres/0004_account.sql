-- Users, what proves that it is them, and what they hold while signed in.

CREATE TABLE account (
    id text COLLATE "C" NOT NULL PRIMARY KEY,
    login bytea NOT NULL UNIQUE,
    roles text COLLATE "C" NOT NULL,
    active bigint NOT NULL,
    version bigint NOT NULL,
    sealed bytea NOT NULL
);

CREATE TABLE password (
    account text COLLATE "C" NOT NULL PRIMARY KEY,
    hash text COLLATE "C" NOT NULL
);

CREATE TABLE session (
    id text COLLATE "C" NOT NULL PRIMARY KEY,
    account text COLLATE "C" NOT NULL,
    secret_hash bytea NOT NULL,
    created_at bigint NOT NULL,
    seen_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    break_glass_until bigint,
    break_glass_reason bytea
);

CREATE INDEX session_by_account ON session (account);
CREATE INDEX session_by_end ON session (expires_at);

CREATE TABLE api_token (
    id text COLLATE "C" NOT NULL PRIMARY KEY,
    account text COLLATE "C" NOT NULL,
    label text COLLATE "C" NOT NULL,
    secret_hash bytea NOT NULL,
    roles text COLLATE "C" NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint,
    revoked_at bigint
);
