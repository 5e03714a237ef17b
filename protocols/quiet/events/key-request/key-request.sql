CREATE TABLE IF NOT EXISTS key_request (
  event   INTEGER PRIMARY KEY REFERENCES event (n),
  key_id  BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS key_request_by_key ON key_request (key_id);
