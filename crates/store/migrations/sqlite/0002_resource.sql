-- Sealed FHIR resource versions, each written with the event that implies it.

CREATE TABLE resource (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    position INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    at INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (position, ordinal),
    UNIQUE (kind, id, version)
) STRICT;

CREATE TRIGGER resource_is_never_changed BEFORE UPDATE ON resource
    BEGIN SELECT RAISE(ABORT, 'resource versions only grow'); END;
CREATE TRIGGER resource_is_never_removed BEFORE DELETE ON resource
    BEGIN SELECT RAISE(ABORT, 'resource versions only grow'); END;
