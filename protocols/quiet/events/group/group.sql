CREATE TABLE IF NOT EXISTS private_group (
  event    INTEGER PRIMARY KEY REFERENCES event (n),
  kind     TEXT NOT NULL,
  creator  INTEGER NOT NULL REFERENCES event (n)
);

-- Who has ever been put into a private group, and by which event.
CREATE TABLE IF NOT EXISTS group_member (
  event       INTEGER NOT NULL REFERENCES event (n),
  group_n     INTEGER NOT NULL REFERENCES event (n),
  user        INTEGER NOT NULL REFERENCES event (n),
  PRIMARY KEY (event, user)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS group_member_by_group ON group_member (group_n, user);
CREATE INDEX IF NOT EXISTS group_member_by_user ON group_member (user);
