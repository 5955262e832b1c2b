-- Times are milliseconds since 1970, money is micro-dollars, flags are 0 or 1.

CREATE TABLE orgs (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  created_ms BIGINT NOT NULL
);

CREATE TABLE users (
  id TEXT PRIMARY KEY,
  org_id TEXT NOT NULL REFERENCES orgs (id),
  login TEXT NOT NULL UNIQUE,
  password_hash TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('admin', 'member', 'auditor')),
  created_ms BIGINT NOT NULL,
  disabled_ms BIGINT
);

CREATE TABLE teams (
  id TEXT PRIMARY KEY,
  org_id TEXT NOT NULL REFERENCES orgs (id),
  name TEXT NOT NULL,
  created_ms BIGINT NOT NULL
);

CREATE TABLE team_members (
  team_id TEXT NOT NULL REFERENCES teams (id),
  user_id TEXT NOT NULL REFERENCES users (id),
  PRIMARY KEY (team_id, user_id)
);

CREATE TABLE devices (
  id TEXT PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (id),
  name TEXT NOT NULL,
  address TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  revoked_ms BIGINT
);

CREATE TABLE refresh_tokens (
  hash TEXT PRIMARY KEY,
  device_id TEXT NOT NULL REFERENCES devices (id),
  created_ms BIGINT NOT NULL,
  expires_ms BIGINT NOT NULL,
  used_ms BIGINT
);

CREATE INDEX refresh_tokens_by_device ON refresh_tokens (device_id);

CREATE TABLE device_codes (
  device_hash TEXT PRIMARY KEY,
  user_code TEXT NOT NULL UNIQUE,
  client_name TEXT NOT NULL,
  address TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  expires_ms BIGINT NOT NULL,
  last_poll_ms BIGINT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('pending', 'approved', 'denied', 'used')),
  user_id TEXT REFERENCES users (id)
);

CREATE TABLE setup_links (
  hash TEXT PRIMARY KEY,
  expires_ms BIGINT NOT NULL,
  used_ms BIGINT
);

CREATE TABLE web_sessions (
  hash TEXT PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (id),
  expires_ms BIGINT NOT NULL
);

CREATE TABLE signing_keys (
  kid TEXT PRIMARY KEY,
  public_key {bytes} NOT NULL,
  sealed {bytes} NOT NULL,
  created_ms BIGINT NOT NULL,
  retired_ms BIGINT
);

CREATE TABLE provider_keys (
  id TEXT PRIMARY KEY,
  org_id TEXT NOT NULL REFERENCES orgs (id),
  provider TEXT NOT NULL,
  dialect TEXT NOT NULL,
  base_url TEXT NOT NULL,
  models TEXT NOT NULL,
  version BIGINT NOT NULL,
  sealed {bytes} NOT NULL,
  created_ms BIGINT NOT NULL
);

CREATE TABLE usage_records (
  request_id TEXT PRIMARY KEY,
  org_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  device_id TEXT NOT NULL,
  job TEXT,
  at_ms BIGINT NOT NULL,
  provider TEXT NOT NULL,
  model TEXT NOT NULL,
  input_tokens BIGINT NOT NULL,
  output_tokens BIGINT NOT NULL,
  cache_read_tokens BIGINT NOT NULL,
  cache_write_tokens BIGINT NOT NULL,
  reasoning_tokens BIGINT NOT NULL,
  estimated BIGINT NOT NULL,
  cost_microusd BIGINT,
  outcome TEXT NOT NULL
);

CREATE INDEX usage_records_by_user ON usage_records (user_id, at_ms);

CREATE TABLE ledger_entries (
  request_id TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('reserve', 'settle', 'refund')),
  org_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  amount_microusd BIGINT NOT NULL,
  at_ms BIGINT NOT NULL,
  PRIMARY KEY (request_id, kind)
);

CREATE TABLE audit_records (
  node TEXT NOT NULL,
  seq BIGINT NOT NULL,
  request_id TEXT NOT NULL,
  org_id TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  hash TEXT NOT NULL,
  record {bytes} NOT NULL,
  PRIMARY KEY (node, seq)
);

CREATE INDEX audit_records_by_request ON audit_records (request_id);
