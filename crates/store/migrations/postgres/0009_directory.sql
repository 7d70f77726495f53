-- The platform's directory: organizations and their sites. No patient.

CREATE TABLE organization (
    id text COLLATE "C" NOT NULL PRIMARY KEY,
    slug text COLLATE "C" NOT NULL UNIQUE,
    name text COLLATE "C" NOT NULL,
    setup_code_hash text COLLATE "C",
    version bigint NOT NULL
);

CREATE TABLE site (
    id text COLLATE "C" NOT NULL PRIMARY KEY,
    organization text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    time_zone text COLLATE "C" NOT NULL
);

CREATE INDEX site_by_organization ON site (organization, name, id);
