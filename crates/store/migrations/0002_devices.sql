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
