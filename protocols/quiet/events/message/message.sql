-- Integers only: the text stays in the event's body.
CREATE TABLE IF NOT EXISTS message (
  event       INTEGER PRIMARY KEY REFERENCES event (n),
  channel     INTEGER NOT NULL REFERENCES event (n),
  created_ms  INTEGER NOT NULL,
  seq         INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS message_by_time ON message (channel, created_ms, seq);
