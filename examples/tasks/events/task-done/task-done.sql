CREATE TABLE IF NOT EXISTS task_done (
  event  INTEGER PRIMARY KEY REFERENCES event (n),
  task   INTEGER NOT NULL REFERENCES event (n)
);
CREATE INDEX IF NOT EXISTS task_done_by_task ON task_done (task);
