-- One word for one thing: a scope is a right that a method demands, this is a standing permission.
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
INSERT INTO permissions (id, session_id, door, destinations, under, cap, spent, created_at, created_by, expires_at, ended_at, ended_why, web)
  SELECT id, session_id, door, destinations, under, cap, spent, created_at, created_by, expires_at, ended_at, ended_why, web FROM scopes;
DROP TABLE scopes;
CREATE INDEX permissions_by_session ON permissions (session_id);
ALTER TABLE holds RENAME COLUMN scope_id TO permission_id;
UPDATE approvals SET answered_by = 'permission ' || substr(answered_by, 7) WHERE answered_by LIKE 'scope %';
