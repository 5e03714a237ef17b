CREATE TABLE IF NOT EXISTS invite (
  event              INTEGER PRIMARY KEY REFERENCES event (n),
  invite_key         BLOB NOT NULL,
  uses               INTEGER NOT NULL,
  invite_expires_ms  INTEGER NOT NULL,
  user               INTEGER REFERENCES event (n),
  basis              INTEGER REFERENCES event (n)
);
