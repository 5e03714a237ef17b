CREATE TABLE IF NOT EXISTS task (
  event   INTEGER PRIMARY KEY REFERENCES event (n),
  channel INTEGER NOT NULL REFERENCES event (n),
  due_ms  INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS task_by_due ON task (due_ms);
