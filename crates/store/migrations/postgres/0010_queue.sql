-- Claims that are counted, pauses, schedules, and an end to finished work.
--
-- `claim` counts the claims of a piece and never starts again: with it no two leases are equal. `priority`
-- is -1 for urgent, 0 for normal, 1 for background. `ended_at` is when a piece was done, or the end of its
-- last lease where nothing else tells.

ALTER TABLE work ADD COLUMN claim bigint NOT NULL DEFAULT 0;
ALTER TABLE work ADD COLUMN ended_at bigint;
UPDATE work SET claim = attempt;
UPDATE work SET ended_at = enqueued_at WHERE state = 'done';

DROP INDEX work_by_turn;
CREATE INDEX work_to_claim ON work (kind, priority, due, seq) WHERE turn = 1;
CREATE UNIQUE INDEX work_turn_of_lane ON work (lane) WHERE turn = 1;
CREATE INDEX work_by_state ON work (state, seq);
CREATE INDEX work_ended ON work (ended_at) WHERE state = 'done';

CREATE TABLE work_pause (
    kind text COLLATE "C" NOT NULL PRIMARY KEY,
    at bigint NOT NULL,
    actor text COLLATE "C" NOT NULL
);

CREATE TABLE work_schedule (
    kind text COLLATE "C" NOT NULL PRIMARY KEY,
    every_seconds bigint NOT NULL,
    next_due bigint NOT NULL
);
