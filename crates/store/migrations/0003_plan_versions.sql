-- Versions of a plan. The model's answer is version 1 and stands in plans; what was made of it stands here, as a text in
-- the wire form.
CREATE TABLE plan_versions (
  plan_id       TEXT NOT NULL REFERENCES plans (id) ON DELETE CASCADE,
  number        INTEGER NOT NULL,
  origin        TEXT NOT NULL,
  note          TEXT NOT NULL,
  document_hash TEXT NOT NULL,
  -- The ids of the steps in order, and where each came from, as JSON.
  steps         TEXT NOT NULL,
  made_by       TEXT NOT NULL,
  created_at    INTEGER NOT NULL,
  PRIMARY KEY (plan_id, number)
) STRICT, WITHOUT ROWID;

-- What a person decided about a step. No row: nothing yet.
CREATE TABLE plan_decisions (
  plan_id    TEXT NOT NULL REFERENCES plans (id) ON DELETE CASCADE,
  step_id    TEXT NOT NULL,
  decision   TEXT NOT NULL,
  -- Whether errors that the check found do not keep the step from being handed over.
  overridden INTEGER NOT NULL,
  decided_by TEXT NOT NULL,
  decided_at INTEGER NOT NULL,
  PRIMARY KEY (plan_id, step_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE plan_comments (
  id         INTEGER PRIMARY KEY,
  plan_id    TEXT NOT NULL REFERENCES plans (id) ON DELETE CASCADE,
  step_id    TEXT NOT NULL,
  text       TEXT NOT NULL,
  written_by TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX plan_comments_by_plan ON plan_comments (plan_id);

-- The project as it was when a plan was made: commit and hashes of files, as JSON in texts.
CREATE TABLE plan_bases (
  plan_id   TEXT PRIMARY KEY REFERENCES plans (id) ON DELETE CASCADE,
  base_hash TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Templates for handing plans over: a project's own text, or the hash of a file of the project that a person trusts.
CREATE TABLE templates (
  project_id   TEXT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
  name         TEXT NOT NULL,
  text         TEXT,
  trusted_hash TEXT,
  PRIMARY KEY (project_id, name)
) STRICT, WITHOUT ROWID;
