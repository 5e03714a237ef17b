CREATE TABLE IF NOT EXISTS user (
  event   INTEGER PRIMARY KEY REFERENCES event (n),
  device  BLOB NOT NULL,
  invite  INTEGER REFERENCES event (n)
);
CREATE INDEX IF NOT EXISTS user_by_invite ON user (invite);
