CREATE TABLE IF NOT EXISTS forgotten_by (
  event   INTEGER NOT NULL REFERENCES event (n),
  of_id   BLOB NOT NULL,
  PRIMARY KEY (event, of_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS forgotten_by_id ON forgotten_by (of_id);
