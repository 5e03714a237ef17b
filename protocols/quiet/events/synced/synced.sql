-- When this device last agreed with another one about everything.
CREATE TABLE IF NOT EXISTS synced (
  identity  INTEGER PRIMARY KEY,
  at_ms     INTEGER NOT NULL
);
