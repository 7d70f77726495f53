-- The one queue.
--
-- `seq` is the order of enqueueing. `turn` is 1 for the first unfinished piece of its lane, 0 for those
-- behind it, and nothing once done or dead. `due` is when a ready piece may be claimed and when the
-- lease of a leased one ends.

CREATE TABLE work (
    seq INTEGER NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    lane TEXT NOT NULL,
    subject TEXT NOT NULL,
    priority INTEGER NOT NULL,
    enqueued_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    turn INTEGER,
    due INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    owner TEXT,
    reason TEXT
) STRICT;

CREATE INDEX work_by_turn ON work (priority, due, seq) WHERE turn = 1;
CREATE INDEX work_by_lane ON work (lane, seq) WHERE turn IS NOT NULL;
CREATE INDEX work_not_done ON work (kind, state, enqueued_at) WHERE state <> 'done';

INSERT INTO head (log, position, hash, frontier) VALUES ('work', 0, x'', x'');
