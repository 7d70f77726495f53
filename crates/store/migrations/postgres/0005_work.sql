-- The one queue.
--
-- `seq` is the order of enqueueing. `turn` is 1 for the first unfinished piece of its lane, 0 for those
-- behind it, and nothing once done or dead. `due` is when a ready piece may be claimed and when the
-- lease of a leased one ends.

CREATE TABLE work (
    seq bigint NOT NULL PRIMARY KEY,
    id text COLLATE "C" NOT NULL UNIQUE,
    kind text COLLATE "C" NOT NULL,
    lane text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    priority bigint NOT NULL,
    enqueued_at bigint NOT NULL,
    state text COLLATE "C" NOT NULL,
    turn bigint,
    due bigint NOT NULL,
    attempt bigint NOT NULL,
    owner text COLLATE "C",
    reason text COLLATE "C"
);

CREATE INDEX work_by_turn ON work (priority, due, seq) WHERE turn = 1;
CREATE INDEX work_by_lane ON work (lane, seq) WHERE turn IS NOT NULL;
CREATE INDEX work_not_done ON work (kind, state, enqueued_at) WHERE state <> 'done';

INSERT INTO head (log, position, hash, frontier) VALUES ('work', 0, '\x', '\x');
