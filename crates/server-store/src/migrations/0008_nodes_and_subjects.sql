CREATE TABLE nodes (
  node TEXT PRIMARY KEY,
  started_ms BIGINT NOT NULL,
  seen_ms BIGINT NOT NULL,
  closed_ms BIGINT
);

CREATE TABLE audit_subjects (
  pseudonym TEXT PRIMARY KEY,
  org_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  address TEXT NOT NULL,
  created_ms BIGINT NOT NULL
);

CREATE INDEX audit_subjects_by_user ON audit_subjects (user_id);

ALTER TABLE api_tokens ADD COLUMN scope TEXT;
