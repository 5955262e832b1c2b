-- The whole schema as it is now, for reading. A test holds it equal to what the migrations make.
-- Times are milliseconds since 1970 (UTC). Ids are UUIDv7 in text form. Money is in millionths of a dollar.

-- Granted roots. Nothing outside one of these is ever read.
CREATE TABLE projects (
  id          TEXT PRIMARY KEY,
  path        TEXT NOT NULL UNIQUE,
  granted_at  INTEGER NOT NULL,
  used_at     INTEGER NOT NULL
) STRICT;

-- One task on its way from words to code. Its title is the first line, shortened: a list of sessions reads no task. Its
-- step is where it is in the history of the task.
CREATE TABLE sessions (
  id            TEXT PRIMARY KEY,
  project_id    TEXT NOT NULL,
  task          TEXT NOT NULL,
  task_version  INTEGER NOT NULL,
  -- How the last search went: for which version of the task, how many files, how long. NULL before the first.
  ranked_version INTEGER,
  scanned       INTEGER NOT NULL DEFAULT 0,
  skipped       INTEGER NOT NULL DEFAULT 0,
  elapsed_ms    INTEGER NOT NULL DEFAULT 0,
  created_at    INTEGER NOT NULL,
  updated_at    INTEGER NOT NULL,
  title         TEXT NOT NULL DEFAULT '',
  task_step     INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE INDEX sessions_by_update ON sessions (updated_at);

-- The files ranked for a session, with the person's ticks.
CREATE TABLE session_files (
  session_id  TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  path        TEXT NOT NULL,
  test        INTEGER NOT NULL,
  rank        INTEGER NOT NULL,
  score       REAL NOT NULL,
  bytes       INTEGER NOT NULL,
  included    INTEGER NOT NULL,
  -- Whether the person set the tick: then a new search keeps it.
  by_hand     INTEGER NOT NULL,
  reasons     TEXT NOT NULL,
  PRIMARY KEY (session_id, path)
) STRICT, WITHOUT ROWID;

-- Durable jobs. A final state (completed, failed, canceled) never changes again.
CREATE TABLE jobs (
  id          TEXT PRIMARY KEY,
  session_id  TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  workflow    TEXT NOT NULL,
  state       TEXT NOT NULL,
  note        TEXT NOT NULL,
  input       TEXT NOT NULL,
  approval_id TEXT,
  plan_id     TEXT,
  created_at  INTEGER NOT NULL,
  updated_at  INTEGER NOT NULL,
  priority INTEGER NOT NULL DEFAULT 0,
  wake_at INTEGER,
  pause_wanted INTEGER NOT NULL DEFAULT 0,
  retry_of TEXT
) STRICT;
CREATE INDEX jobs_by_state ON jobs (state);
CREATE INDEX jobs_by_session ON jobs (session_id);

-- A job's steps. The output of a step is stored before the next one begins.
CREATE TABLE job_steps (
  job_id      TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  name        TEXT NOT NULL,
  begun_at    INTEGER NOT NULL,
  ended_at    INTEGER,
  output      TEXT,
  PRIMARY KEY (job_id, name)
) STRICT, WITHOUT ROWID;

-- Large texts (request bodies, answers), each once, compressed, named by the SHA-256 of the plain text.
CREATE TABLE texts (
  id          INTEGER PRIMARY KEY,
  hash        TEXT NOT NULL UNIQUE,
  plain_bytes INTEGER NOT NULL,
  data        BLOB NOT NULL
) STRICT;

-- What a person was asked to let out, and the answer. The body is the exact bytes, in texts.
CREATE TABLE approvals (
  id          TEXT PRIMARY KEY,
  job_id      TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  session_id  TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  state       TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  body_hash   TEXT NOT NULL,
  -- The canonical request, from which the body follows; also in texts.
  canonical_hash TEXT NOT NULL,
  manifest    TEXT NOT NULL,
  created_at  INTEGER NOT NULL,
  answered_at INTEGER,
  answered_by TEXT
) STRICT;
CREATE INDEX approvals_by_job ON approvals (job_id);

-- Plans. The answer is the source of truth; steps are read from it again.
CREATE TABLE plans (
  id          TEXT PRIMARY KEY,
  session_id  TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  job_id      TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  state       TEXT NOT NULL,
  trouble     TEXT,
  title       TEXT NOT NULL,
  step_count  INTEGER NOT NULL,
  errors      INTEGER NOT NULL,
  warnings    INTEGER NOT NULL,
  ending      TEXT,
  answer_hash TEXT,
  findings    TEXT NOT NULL,
  provider    TEXT,
  model       TEXT,
  usage       TEXT,
  created_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX plans_by_session ON plans (session_id);

-- An answer while it arrives: appended, so that writing is linear in its length.
CREATE TABLE answer_parts (
  id       INTEGER PRIMARY KEY,
  plan_id  TEXT NOT NULL REFERENCES plans (id) ON DELETE CASCADE,
  text     TEXT NOT NULL
) STRICT;
CREATE INDEX answer_parts_by_plan ON answer_parts (plan_id);

-- The chained record of everything that left, or was kept from leaving. Outlives sessions.
CREATE TABLE audit (
  seq        INTEGER PRIMARY KEY,
  job_id     TEXT NOT NULL,
  kind       TEXT NOT NULL,
  record     BLOB NOT NULL,
  hash       BLOB NOT NULL,
  written_at INTEGER NOT NULL,
  approval_id TEXT
) STRICT;
CREATE INDEX audit_by_job ON audit (job_id);

-- What requests used.
CREATE TABLE usage (
  id            INTEGER PRIMARY KEY,
  job_id        TEXT NOT NULL,
  provider      TEXT NOT NULL,
  model         TEXT NOT NULL,
  input_tokens  INTEGER NOT NULL,
  cached_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  -- NULL when the price is not known.
  cost          INTEGER,
  estimated     INTEGER NOT NULL,
  at            INTEGER NOT NULL,
  session_id TEXT
) STRICT;
CREATE INDEX usage_by_time ON usage (at);
CREATE INDEX usage_by_session ON usage (session_id);

-- Settings of the engine, as JSON by name. Never a secret.
CREATE TABLE settings (
  name   TEXT PRIMARY KEY,
  value  TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Paired devices. This list, and nothing that a server says, decides whose calls are answered.
CREATE TABLE devices (
  id         TEXT PRIMARY KEY,
  server     TEXT NOT NULL,
  -- The device's id at the server's relay; NULL before its first session.
  relay_id   TEXT,
  name       TEXT NOT NULL,
  noise_key  TEXT NOT NULL UNIQUE,
  link_key   TEXT NOT NULL UNIQUE,
  scopes     TEXT NOT NULL,
  paired_at  INTEGER NOT NULL,
  seen_at    INTEGER
) STRICT;

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

-- Standing permissions: a person's yes for later requests of a session, within bounds.
CREATE TABLE permissions (
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
  ended_why    TEXT,
  web          INTEGER NOT NULL
) STRICT;
CREATE INDEX permissions_by_session ON permissions (session_id);

-- Money set aside for requests that were approved and are not settled.
CREATE TABLE holds (
  approval_id  TEXT PRIMARY KEY,
  session_id   TEXT NOT NULL,
  permission_id TEXT,
  amount       INTEGER NOT NULL,
  held_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Answers that are not plans, while they arrive and after.
CREATE TABLE answers (
  approval_id  TEXT PRIMARY KEY REFERENCES approvals (id) ON DELETE CASCADE,
  job_id       TEXT NOT NULL,
  answer_hash  TEXT,
  web TEXT
) STRICT, WITHOUT ROWID;
CREATE TABLE answer_chunks (
  id           INTEGER PRIMARY KEY,
  approval_id  TEXT NOT NULL REFERENCES answers (approval_id) ON DELETE CASCADE,
  text         TEXT NOT NULL
) STRICT;
CREATE INDEX answer_chunks_by_approval ON answer_chunks (approval_id);

-- The words of tasks and plans, for searching. Kept right by triggers for tasks, and by whoever stores a plan's answer.
CREATE VIRTUAL TABLE words USING fts5 (
  title,
  body,
  -- task or plan, and whose.
  kind UNINDEXED,
  owner UNINDEXED,
  session_id UNINDEXED,
  tokenize = "unicode61 remove_diacritics 2 tokenchars '_'",
  prefix = '2 3'
);
-- What is deleted leaves no words behind, as everywhere in this database.
INSERT INTO words (words, rank) VALUES ('secure-delete', 1);
-- Where the words of each task or plan stand: the search table itself can only be looked up by its row.
CREATE TABLE word_rows (
  kind       TEXT NOT NULL,
  owner      TEXT NOT NULL,
  session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  at         INTEGER NOT NULL,
  PRIMARY KEY (kind, owner)
) STRICT, WITHOUT ROWID;
CREATE INDEX word_rows_by_session ON word_rows (session_id);
CREATE TRIGGER words_forgotten AFTER DELETE ON word_rows BEGIN
  DELETE FROM words WHERE rowid = OLD.at;
END;
CREATE TRIGGER words_of_new_task AFTER INSERT ON sessions BEGIN
  INSERT INTO words (title, body, kind, owner, session_id) VALUES ('', NEW.task, 'task', NEW.id, NEW.id);
  INSERT INTO word_rows (kind, owner, session_id, at) VALUES ('task', NEW.id, NEW.id, last_insert_rowid());
END;
CREATE TRIGGER words_of_task AFTER UPDATE OF task ON sessions WHEN NEW.task <> OLD.task BEGIN
  UPDATE words SET body = NEW.task
    WHERE rowid = (SELECT at FROM word_rows WHERE kind = 'task' AND owner = NEW.id);
END;

-- What lists are read by, and what a deleted session takes along.
CREATE INDEX sessions_by_project ON sessions (project_id, updated_at);
CREATE INDEX approvals_by_session ON approvals (session_id);
CREATE INDEX plans_by_job ON plans (job_id);

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

-- Calls that carried a key, so that a repeat has no second effect. Both hashes are over the key, which is not stored.
CREATE TABLE keyed_calls (
  id        BLOB PRIMARY KEY,
  said_hash BLOB NOT NULL,
  -- The answer as a frame. NULL: the call was begun, and how it ended is not known.
  answer    TEXT,
  begun_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX keyed_calls_by_time ON keyed_calls (begun_at);

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
