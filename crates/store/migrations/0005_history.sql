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
INSERT INTO words (title, body, kind, owner, session_id) SELECT '', task, 'task', id, id FROM sessions;
INSERT INTO words (title, body, kind, owner, session_id) SELECT title, '', 'plan', id, session_id FROM plans;
INSERT INTO word_rows (kind, owner, session_id, at) SELECT kind, owner, session_id, rowid FROM words;

-- What lists are read by, and what a deleted session takes along.
CREATE INDEX sessions_by_project ON sessions (project_id, updated_at);
CREATE INDEX approvals_by_session ON approvals (session_id);
CREATE INDEX plans_by_job ON plans (job_id);
