-- What was found on the web: one row for each question, from when it was asked.
CREATE TABLE web_findings (
  id          TEXT PRIMARY KEY,
  session_id  TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  -- The job that answers it.
  job_id      TEXT NOT NULL,
  -- The job that proposed it, if a model did.
  proposed_by TEXT,
  -- Its place among the questions that were asked together.
  place       INTEGER NOT NULL,
  question    TEXT NOT NULL,
  why         TEXT NOT NULL,
  -- asked, answered or cut; what became of a question that has no answer, its job says.
  state       TEXT NOT NULL,
  trouble     TEXT,
  answer      TEXT NOT NULL,
  -- Sources and searches, as JSON.
  web         TEXT NOT NULL,
  usage       TEXT,
  model       TEXT,
  attached    INTEGER NOT NULL,
  created_at  INTEGER NOT NULL,
  answered_at INTEGER
) STRICT;
CREATE INDEX web_findings_by_session ON web_findings (session_id);

-- What an answer rests on, while it arrives and after; as JSON.
ALTER TABLE answers ADD COLUMN web TEXT;

-- Whether a permission covers requests that let the provider search the web.
ALTER TABLE scopes ADD COLUMN web INTEGER NOT NULL DEFAULT 0;
