CREATE TABLE IF NOT EXISTS retention (
  event    INTEGER PRIMARY KEY REFERENCES event (n),
  channel  INTEGER NOT NULL REFERENCES event (n),
  ttl_ms   INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS retention_by_channel ON retention (channel);
