-- Sessions that are open now. Emptied at every start.
CREATE TABLE IF NOT EXISTS session (
  identity    INTEGER NOT NULL,
  session_id  TEXT NOT NULL,
  device      BLOB NOT NULL,
  opened_ms   INTEGER NOT NULL,
  PRIMARY KEY (identity, session_id)
) WITHOUT ROWID;
DELETE FROM session;
