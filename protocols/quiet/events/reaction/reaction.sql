CREATE TABLE IF NOT EXISTS reaction (
  event    INTEGER PRIMARY KEY REFERENCES event (n),
  message  INTEGER NOT NULL REFERENCES event (n)
);
CREATE INDEX IF NOT EXISTS reaction_by_message ON reaction (message);
