-- A list of sessions shows titles and reads no task.
ALTER TABLE sessions ADD COLUMN title TEXT NOT NULL DEFAULT '';
-- The step of the task's history that its text is.
ALTER TABLE sessions ADD COLUMN task_step INTEGER NOT NULL DEFAULT 1;
UPDATE sessions SET title = (
  WITH trimmed (t) AS (SELECT trim(task, char(32) || char(9) || char(10) || char(13))),
       line (l) AS (SELECT rtrim(substr(t, 1, instr(t || char(10), char(10)) - 1), char(32) || char(9) || char(13)) FROM trimmed)
  SELECT CASE WHEN length(l) > 80 THEN rtrim(substr(l, 1, 79)) || '…' ELSE l END FROM line
);

-- The history of a task. What one device types without a long pause is one step. The text of the present step stands in
-- sessions.
CREATE TABLE task_steps (
  session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  number     INTEGER NOT NULL,
  -- NULL for the present step.
  text_hash  TEXT,
  -- Where undo leads, and redo.
  parent     INTEGER,
  redo       INTEGER,
  origin     TEXT NOT NULL,
  made_by    TEXT NOT NULL,
  begun_at   INTEGER NOT NULL,
  saved_at   INTEGER NOT NULL,
  PRIMARY KEY (session_id, number)
) STRICT, WITHOUT ROWID;
INSERT INTO task_steps (session_id, number, origin, made_by, begun_at, saved_at)
  SELECT id, 1, 'written', '', created_at, updated_at FROM sessions;

-- What holds a text is found without reading everything: unused ones are looked for whenever something is deleted.
CREATE INDEX task_steps_by_text ON task_steps (text_hash) WHERE text_hash IS NOT NULL;
CREATE INDEX approvals_by_body ON approvals (body_hash);
CREATE INDEX approvals_by_canonical ON approvals (canonical_hash);
CREATE INDEX plan_versions_by_text ON plan_versions (document_hash);
CREATE INDEX plan_bases_by_text ON plan_bases (base_hash);
CREATE INDEX plans_by_text ON plans (answer_hash) WHERE answer_hash IS NOT NULL;
CREATE INDEX answers_by_text ON answers (answer_hash) WHERE answer_hash IS NOT NULL;

-- Plans that are being written: an engine that starts looks for those whose job has ended.
CREATE INDEX plans_streaming ON plans (job_id) WHERE state = 'streaming';

-- Prompts: a project's own text in place of a default, or the hash of a file of the project that a person trusts.
CREATE TABLE prompts (
  project_id   TEXT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
  name         TEXT NOT NULL,
  text         TEXT,
  -- The version of the default that the text was made from.
  made_from    INTEGER,
  trusted_hash TEXT,
  PRIMARY KEY (project_id, name)
) STRICT, WITHOUT ROWID;
