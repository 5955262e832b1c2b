CREATE TABLE link_devices (
  id TEXT PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (id),
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  link_key TEXT NOT NULL UNIQUE,
  sign_in_id TEXT REFERENCES devices (id),
  issuer_id TEXT REFERENCES link_devices (id),
  created_ms BIGINT NOT NULL,
  seen_ms BIGINT,
  revoked_ms BIGINT
);

CREATE INDEX link_devices_by_user ON link_devices (user_id);
