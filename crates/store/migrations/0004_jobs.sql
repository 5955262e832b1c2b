-- Jobs that pause, wait for the network, are retried, and have priorities.
ALTER TABLE jobs ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN wake_at INTEGER;
ALTER TABLE jobs ADD COLUMN pause_wanted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN retry_of TEXT;

-- Which approval a record belongs to: a job may ask more than once.
ALTER TABLE audit ADD COLUMN approval_id TEXT;

-- What a request used counts for its session, also after the job is gone.
ALTER TABLE usage ADD COLUMN session_id TEXT;
CREATE INDEX usage_by_session ON usage (session_id);

-- Standing permissions: a person's yes for later requests of a session, within bounds.
CREATE TABLE scopes (
  id           TEXT PRIMARY KEY,
  session_id   TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  door         TEXT NOT NULL,
  destinations TEXT NOT NULL,
  under        TEXT NOT NULL,
  cap          INTEGER NOT NULL,
  spent        INTEGER NOT NULL,
  created_at   INTEGER NOT NULL,
  created_by   TEXT NOT NULL,
  expires_at   INTEGER NOT NULL,
  ended_at     INTEGER,
  ended_why    TEXT
) STRICT;
CREATE INDEX scopes_by_session ON scopes (session_id);

-- Money set aside for requests that were approved and are not settled.
CREATE TABLE holds (
  approval_id  TEXT PRIMARY KEY,
  session_id   TEXT NOT NULL,
  scope_id     TEXT,
  amount       INTEGER NOT NULL,
  held_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Answers that are not plans, while they arrive and after.
CREATE TABLE answers (
  approval_id  TEXT PRIMARY KEY REFERENCES approvals (id) ON DELETE CASCADE,
  job_id       TEXT NOT NULL,
  answer_hash  TEXT
) STRICT, WITHOUT ROWID;
CREATE TABLE answer_chunks (
  id           INTEGER PRIMARY KEY,
  approval_id  TEXT NOT NULL REFERENCES answers (approval_id) ON DELETE CASCADE,
  text         TEXT NOT NULL
) STRICT;
CREATE INDEX answer_chunks_by_approval ON answer_chunks (approval_id);
