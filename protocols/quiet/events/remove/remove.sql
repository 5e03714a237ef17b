CREATE TABLE IF NOT EXISTS removal (
  event       INTEGER PRIMARY KEY REFERENCES event (n),
  user        INTEGER NOT NULL REFERENCES event (n),
  whole_user  INTEGER NOT NULL,
  basis       INTEGER REFERENCES event (n),
  because     INTEGER REFERENCES event (n)
);
CREATE INDEX IF NOT EXISTS removal_by_user ON removal (user);
CREATE TABLE IF NOT EXISTS removal_head (
  event   INTEGER NOT NULL REFERENCES event (n),
  device  BLOB NOT NULL,
  seq     INTEGER NOT NULL,
  head    BLOB NOT NULL,
  PRIMARY KEY (event, device)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS removal_known (
  event  INTEGER NOT NULL REFERENCES event (n),
  known  INTEGER NOT NULL REFERENCES event (n),
  PRIMARY KEY (event, known)
) WITHOUT ROWID;
