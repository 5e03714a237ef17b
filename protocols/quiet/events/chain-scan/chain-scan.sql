-- How far the stored events have been looked through for what they name as the one before and is not here.
CREATE TABLE IF NOT EXISTS chain_scan (
  identity   INTEGER PRIMARY KEY,
  through_n  INTEGER NOT NULL
);

-- Ids of events that others name as the one before, and of which not even the header was here when that was looked at.
CREATE TABLE IF NOT EXISTS missing_link (
  identity  INTEGER NOT NULL,
  id        BLOB NOT NULL,
  PRIMARY KEY (identity, id)
) WITHOUT ROWID;
