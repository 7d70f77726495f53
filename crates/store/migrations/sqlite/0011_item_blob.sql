-- The items of a content: an erasure empties all of them.

CREATE INDEX item_by_blob ON item (blob) WHERE blob IS NOT NULL;
