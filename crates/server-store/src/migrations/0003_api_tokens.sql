CREATE TABLE api_tokens (
  id TEXT PRIMARY KEY,
  hash TEXT NOT NULL UNIQUE,
  org_id TEXT NOT NULL REFERENCES orgs (id),
  user_id TEXT NOT NULL REFERENCES users (id),
  kind TEXT NOT NULL CHECK (kind IN ('api', 'agent')),
  name TEXT NOT NULL,
  models TEXT NOT NULL,
  approval TEXT NOT NULL CHECK (approval IN ('required', 'none')),
  budget_microusd BIGINT,
  spent_microusd BIGINT NOT NULL,
  tag TEXT,
  created_ms BIGINT NOT NULL,
  expires_ms BIGINT,
  revoked_ms BIGINT
);

CREATE INDEX api_tokens_by_user ON api_tokens (user_id);

ALTER TABLE usage_records ADD COLUMN token_id TEXT;

CREATE INDEX usage_records_by_org ON usage_records (org_id, at_ms);

CREATE TABLE spend_days (
  org_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  day BIGINT NOT NULL,
  microusd BIGINT NOT NULL,
  PRIMARY KEY (org_id, user_id, day)
);

INSERT INTO spend_days (org_id, user_id, day, microusd)
SELECT org_id, user_id, at_ms / 86400000, CAST(SUM(cost_microusd) AS BIGINT) FROM usage_records
WHERE cost_microusd IS NOT NULL GROUP BY org_id, user_id, at_ms / 86400000;
