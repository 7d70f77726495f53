-- Effects in the order in which they happened, found by the ends of their keys.
--
-- Most keys are keyed hashes. In a table that is sorted by them every append changes a page of its own; here
-- the rows grow at their end, and what is sorted is narrow. That a key is there once is for the append to see
-- to, which looks at whole keys and holds the head lock.

ALTER TABLE effect RENAME TO effect_before;
CREATE TABLE effect (
    effect_key TEXT NOT NULL,
    subject TEXT NOT NULL
) STRICT;
INSERT INTO effect (effect_key, subject) SELECT effect_key, subject FROM effect_before;
DROP TABLE effect_before;

CREATE INDEX effect_by_end ON effect (substr(effect_key, length(effect_key) - 7));
