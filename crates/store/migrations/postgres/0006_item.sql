-- Received objects and what became of them.

CREATE TABLE item (
    id text COLLATE "C" NOT NULL PRIMARY KEY,
    state text COLLATE "C" NOT NULL,
    door text COLLATE "C" NOT NULL,
    sender text COLLATE "C" NOT NULL,
    site text COLLATE "C",
    received_at bigint NOT NULL,
    size_bytes bigint NOT NULL,
    blob text COLLATE "C",
    recording text COLLATE "C",
    linked_to text COLLATE "C",
    position bigint NOT NULL,
    version bigint NOT NULL,
    reason text COLLATE "C",
    sealed bytea NOT NULL
);

CREATE INDEX item_by_time ON item (received_at, id);
CREATE INDEX item_by_state ON item (state, received_at, id, door);
CREATE INDEX item_by_recording ON item (recording, received_at) WHERE recording IS NOT NULL;
