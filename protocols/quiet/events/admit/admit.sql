CREATE TABLE IF NOT EXISTS admit (
  event  INTEGER PRIMARY KEY REFERENCES event (n),
  user   INTEGER NOT NULL REFERENCES event (n)
);
CREATE INDEX IF NOT EXISTS admit_by_user ON admit (user);
