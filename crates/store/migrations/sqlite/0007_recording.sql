-- Recordings. `flags` is for reading a row whole, `recording_flag` and `severity` are for searching.

CREATE TABLE recording (
    id TEXT NOT NULL PRIMARY KEY,
    status TEXT NOT NULL,
    patient TEXT,
    patient_before_merge TEXT,
    site TEXT,
    door TEXT NOT NULL,
    item TEXT NOT NULL,
    blob TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    acquired_sort INTEGER,
    flags TEXT NOT NULL,
    severity TEXT,
    position INTEGER NOT NULL,
    version INTEGER NOT NULL,
    sealed BLOB NOT NULL
) STRICT;

CREATE INDEX recording_by_time ON recording (received_at, id);
CREATE INDEX recording_by_blob ON recording (blob);
CREATE INDEX recording_by_patient ON recording (patient, received_at, id);
CREATE INDEX recording_by_site ON recording (site, received_at, id);
CREATE INDEX recording_by_acquisition ON recording (acquired_sort);
CREATE INDEX recording_by_severity ON recording (severity, status, received_at, id);

CREATE TABLE recording_flag (
    code TEXT NOT NULL,
    severity TEXT NOT NULL,
    recording TEXT NOT NULL,
    PRIMARY KEY (code, severity, recording)
) STRICT, WITHOUT ROWID;

CREATE INDEX recording_flag_by_recording ON recording_flag (recording);
