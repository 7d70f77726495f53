-- Received objects and what became of them.

CREATE TABLE item (
    id TEXT NOT NULL PRIMARY KEY,
    state TEXT NOT NULL,
    door TEXT NOT NULL,
    sender TEXT NOT NULL,
    site TEXT,
    received_at INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    blob TEXT,
    recording TEXT,
    linked_to TEXT,
    position INTEGER NOT NULL,
    version INTEGER NOT NULL,
    reason TEXT,
    sealed BLOB NOT NULL
) STRICT;

CREATE INDEX item_by_time ON item (received_at, id);
CREATE INDEX item_by_state ON item (state, received_at, id, door);
CREATE INDEX item_by_recording ON item (recording, received_at) WHERE recording IS NOT NULL;
