CREATE TABLE IF NOT EXISTS read_mark (
  identity       INTEGER NOT NULL,
  channel        BLOB NOT NULL,
  read_until_ms  INTEGER NOT NULL,
  PRIMARY KEY (identity, channel)
) WITHOUT ROWID;
