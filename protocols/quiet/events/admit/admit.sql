CREATE TABLE IF NOT EXISTS admit (
  event   INTEGER PRIMARY KEY REFERENCES event (n),
  joiner  INTEGER NOT NULL REFERENCES event (n)
);
CREATE INDEX IF NOT EXISTS admit_by_joiner ON admit (joiner);
