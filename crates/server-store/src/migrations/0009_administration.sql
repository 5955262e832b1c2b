ALTER TABLE devices ADD COLUMN client TEXT NOT NULL DEFAULT '';

ALTER TABLE devices ADD COLUMN seen_ms BIGINT;

ALTER TABLE web_sessions ADD COLUMN created_ms BIGINT NOT NULL DEFAULT 0;

ALTER TABLE web_sessions ADD COLUMN address TEXT NOT NULL DEFAULT '';

ALTER TABLE web_sessions ADD COLUMN agent TEXT NOT NULL DEFAULT '';

CREATE TABLE invitations (
  hash TEXT PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (id),
  expires_ms BIGINT NOT NULL,
  used_ms BIGINT
);

CREATE TABLE vault_log (
  id TEXT PRIMARY KEY,
  at_ms BIGINT NOT NULL,
  key_id TEXT NOT NULL,
  org_id TEXT NOT NULL,
  provider TEXT NOT NULL,
  reason TEXT NOT NULL,
  actor TEXT NOT NULL,
  opened BIGINT NOT NULL
);

CREATE INDEX vault_log_by_time ON vault_log (org_id, at_ms);
