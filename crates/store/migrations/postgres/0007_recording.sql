-- Recordings. `flags` is for reading a row whole, `recording_flag` and `severity` are for searching.

CREATE TABLE recording (
    id text COLLATE "C" NOT NULL PRIMARY KEY,
    status text COLLATE "C" NOT NULL,
    patient text COLLATE "C",
    patient_before_merge text COLLATE "C",
    site text COLLATE "C",
    door text COLLATE "C" NOT NULL,
    item text COLLATE "C" NOT NULL,
    blob text COLLATE "C" NOT NULL,
    received_at bigint NOT NULL,
    acquired_sort bigint,
    flags text COLLATE "C" NOT NULL,
    severity text COLLATE "C",
    position bigint NOT NULL,
    version bigint NOT NULL,
    sealed bytea NOT NULL
);

CREATE INDEX recording_by_time ON recording (received_at, id);
CREATE INDEX recording_by_blob ON recording (blob);
CREATE INDEX recording_by_patient ON recording (patient, received_at, id);
CREATE INDEX recording_by_site ON recording (site, received_at, id);
CREATE INDEX recording_by_acquisition ON recording (acquired_sort);
CREATE INDEX recording_by_severity ON recording (severity, status, received_at, id);

CREATE TABLE recording_flag (
    code text COLLATE "C" NOT NULL,
    severity text COLLATE "C" NOT NULL,
    recording text COLLATE "C" NOT NULL,
    PRIMARY KEY (code, severity, recording)
);

CREATE INDEX recording_flag_by_recording ON recording_flag (recording);
