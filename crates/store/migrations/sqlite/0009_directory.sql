-- The platform's directory: organizations and their sites. No patient.

CREATE TABLE organization (
    id TEXT NOT NULL PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    setup_code_hash TEXT,
    version INTEGER NOT NULL
) STRICT;

CREATE TABLE site (
    id TEXT NOT NULL PRIMARY KEY,
    organization TEXT NOT NULL,
    name TEXT NOT NULL,
    time_zone TEXT NOT NULL
) STRICT;

CREATE INDEX site_by_organization ON site (organization, name, id);
