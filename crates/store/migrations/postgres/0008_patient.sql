-- Patients and the blind-index tokens by which they are found.

CREATE TABLE patient (
    id text COLLATE "C" NOT NULL PRIMARY KEY,
    merged_into text COLLATE "C",
    version bigint NOT NULL,
    resource_version bigint NOT NULL,
    sealed bytea NOT NULL
);

CREATE INDEX patient_by_merge ON patient (merged_into, id) WHERE merged_into IS NOT NULL;

CREATE TABLE patient_token (
    token bytea NOT NULL,
    patient text COLLATE "C" NOT NULL,
    PRIMARY KEY (token, patient)
);

CREATE INDEX patient_token_by_patient ON patient_token (patient);

-- The server's statistics would keep samples of what an erasure removes.
ALTER TABLE patient_token ALTER COLUMN token SET STATISTICS 0;
