-- A terminal: one run of one program. `epoch` names the run; `head` is the number of bytes of output, `log_start` the
-- first that is still kept, `stored` what the kept ones take compressed.
CREATE TABLE terminals (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  epoch INTEGER NOT NULL,
  title TEXT NOT NULL,
  program_title TEXT,
  label TEXT NOT NULL,
  cwd TEXT NOT NULL,
  command TEXT,
  cols INTEGER NOT NULL,
  rows INTEGER NOT NULL,
  scrollback INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('running', 'exited', 'lost')),
  code INTEGER NOT NULL DEFAULT 0,
  signal TEXT,
  head INTEGER NOT NULL DEFAULT 0,
  log_start INTEGER NOT NULL DEFAULT 0,
  stored INTEGER NOT NULL DEFAULT 0,
  started_at INTEGER NOT NULL,
  ended_at INTEGER,
  last_output_at INTEGER,
  bells INTEGER NOT NULL DEFAULT 0,
  notice TEXT
) STRICT;

-- Output: at most 64 KiB of it per row, compressed with zstd.
CREATE TABLE segments (
  number INTEGER PRIMARY KEY,
  terminal INTEGER NOT NULL REFERENCES terminals (number) ON DELETE CASCADE,
  start INTEGER NOT NULL,
  length INTEGER NOT NULL,
  body BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX segments_place ON segments (terminal, start);

-- What happened at an offset. A mark at the offset of a byte precedes that byte.
CREATE TABLE marks (
  number INTEGER PRIMARY KEY,
  terminal INTEGER NOT NULL REFERENCES terminals (number) ON DELETE CASCADE,
  place INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('resize', 'exit')),
  cols INTEGER NOT NULL DEFAULT 0,
  rows INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX marks_place ON marks (terminal, place);
