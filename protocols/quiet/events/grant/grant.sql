-- `right` is a word of SQL.
CREATE TABLE IF NOT EXISTS right_grant (
  event     INTEGER PRIMARY KEY REFERENCES event (n),
  user      INTEGER NOT NULL REFERENCES event (n),
  kind      TEXT NOT NULL,
  basis     INTEGER REFERENCES event (n)
);
CREATE INDEX IF NOT EXISTS right_grant_by_user ON right_grant (user);
