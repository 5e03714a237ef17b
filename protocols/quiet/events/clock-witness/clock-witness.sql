CREATE TABLE IF NOT EXISTS clock_witness (
  identity   INTEGER NOT NULL,
  user_id    BLOB NOT NULL,
  offset_ms  INTEGER NOT NULL,
  seen_ms    INTEGER NOT NULL,
  PRIMARY KEY (identity, user_id)
) WITHOUT ROWID;
