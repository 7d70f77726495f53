-- Sealed FHIR resource versions, each written with the event that implies it.

CREATE TABLE resource (
    kind text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    position bigint NOT NULL,
    ordinal bigint NOT NULL,
    at bigint NOT NULL,
    deleted bigint NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (position, ordinal),
    UNIQUE (kind, id, version)
);
