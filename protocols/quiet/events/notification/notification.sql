-- Goes with the event it tells of, as every table with a column `event` does.
CREATE TABLE IF NOT EXISTS notification (
  event        INTEGER PRIMARY KEY REFERENCES event (n),
  about        INTEGER NOT NULL REFERENCES event (n),
  noticed_ms   INTEGER NOT NULL
);
