-- When each organization's queue is to be looked at next, and when somebody last said that it has work.

CREATE TABLE work_waiting (
    organization TEXT NOT NULL PRIMARY KEY,
    due INTEGER NOT NULL,
    marked_at INTEGER NOT NULL
) STRICT;
