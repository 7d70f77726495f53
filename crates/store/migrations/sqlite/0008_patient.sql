-- Patients and the blind-index tokens by which they are found.

CREATE TABLE patient (
    id TEXT NOT NULL PRIMARY KEY,
    merged_into TEXT,
    version INTEGER NOT NULL,
    resource_version INTEGER NOT NULL,
    sealed BLOB NOT NULL
) STRICT;

CREATE INDEX patient_by_merge ON patient (merged_into, id) WHERE merged_into IS NOT NULL;

CREATE TABLE patient_token (
    token BLOB NOT NULL,
    patient TEXT NOT NULL,
    PRIMARY KEY (token, patient)
) STRICT, WITHOUT ROWID;

CREATE INDEX patient_token_by_patient ON patient_token (patient);
