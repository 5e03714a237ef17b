CREATE TABLE IF NOT EXISTS revocation (
  event       INTEGER PRIMARY KEY REFERENCES event (n),
  grant_event INTEGER NOT NULL REFERENCES event (n),
  basis       INTEGER REFERENCES event (n),
  because     INTEGER REFERENCES event (n)
);
CREATE TABLE IF NOT EXISTS revocation_head (
  event   INTEGER NOT NULL REFERENCES event (n),
  device  BLOB NOT NULL,
  seq     INTEGER NOT NULL,
  head    BLOB NOT NULL,
  PRIMARY KEY (event, device)
) WITHOUT ROWID;
