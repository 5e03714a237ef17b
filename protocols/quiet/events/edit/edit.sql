CREATE TABLE IF NOT EXISTS edit (
  event    INTEGER PRIMARY KEY REFERENCES event (n),
  message  INTEGER NOT NULL REFERENCES event (n)
);
CREATE INDEX IF NOT EXISTS edit_by_message ON edit (message);
