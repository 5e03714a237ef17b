CREATE TABLE IF NOT EXISTS invite_revocation (
  event   INTEGER PRIMARY KEY REFERENCES event (n),
  invite  INTEGER NOT NULL REFERENCES event (n)
);
CREATE INDEX IF NOT EXISTS invite_revocation_by_invite ON invite_revocation (invite);
