-- Calls that carried a key, so that a repeat has no second effect. Both hashes are over the key, which is not stored.
CREATE TABLE keyed_calls (
  id        BLOB PRIMARY KEY,
  said_hash BLOB NOT NULL,
  -- The answer as a frame. NULL: the call was begun, and how it ended is not known.
  answer    TEXT,
  begun_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX keyed_calls_by_time ON keyed_calls (begun_at);
