-- How many values a key sealed and keys it wrapped that were committed.

ALTER TABLE wrapped_key ADD COLUMN uses bigint NOT NULL DEFAULT 0;
