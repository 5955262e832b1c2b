CREATE TABLE own_limits (
  org_id TEXT NOT NULL REFERENCES orgs (id),
  user_id TEXT NOT NULL,
  requests_per_minute BIGINT,
  tokens_per_minute BIGINT,
  concurrent BIGINT,
  day_microusd BIGINT,
  month_microusd BIGINT,
  changed_ms BIGINT NOT NULL,
  PRIMARY KEY (org_id, user_id)
);
