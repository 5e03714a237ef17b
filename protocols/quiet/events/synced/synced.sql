-- When this device last agreed with another one about everything.
CREATE TABLE IF NOT EXISTS synced (
  identity  INTEGER PRIMARY KEY,
  at_ms     INTEGER NOT NULL
);

-- With whom it last agreed, and up to which event of those stored here: the other device has them, too.
CREATE TABLE IF NOT EXISTS synced_with (
  identity   INTEGER NOT NULL,
  device     BLOB NOT NULL,
  through_n  INTEGER NOT NULL,
  at_ms      INTEGER NOT NULL,
  PRIMARY KEY (identity, device)
) WITHOUT ROWID;
