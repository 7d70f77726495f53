-- When each organization's queue is to be looked at next, and when somebody last said that it has work.

CREATE TABLE work_waiting (
    organization text COLLATE "C" NOT NULL PRIMARY KEY,
    due bigint NOT NULL,
    marked_at bigint NOT NULL
);
