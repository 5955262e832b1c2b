CREATE TABLE audit_keys (
  kid TEXT PRIMARY KEY,
  sealed {bytes} NOT NULL,
  created_ms BIGINT NOT NULL
);

CREATE TABLE audit_checkpoints (
  number BIGINT PRIMARY KEY,
  at_ms BIGINT NOT NULL,
  statement {bytes} NOT NULL,
  kid TEXT NOT NULL REFERENCES audit_keys (kid),
  signature {bytes} NOT NULL
);

CREATE INDEX audit_records_by_time ON audit_records (at_ms);
