CREATE TABLE IF NOT EXISTS forgotten_by (
  event   INTEGER PRIMARY KEY REFERENCES event (n),
  key_id  BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS forgotten_by_key ON forgotten_by (key_id);
