-- What is being fetched, one row per session: the ranges that are left (a JSON list of pairs), from which end, and where that began. A row of a session that
-- is closed, or that nothing has come through for a while, says nothing any more. `progress`: what had been taken in
-- before. `left_n`: events still to come, `begun_n` at the beginning.
CREATE TABLE IF NOT EXISTS fetch (
  identity      INTEGER NOT NULL,
  session_id    TEXT NOT NULL,
  ranges        TEXT NOT NULL,
  oldest_first  INTEGER NOT NULL,
  begun_at      TEXT NOT NULL,
  progress      INTEGER NOT NULL,
  left_n        INTEGER NOT NULL,
  begun_ms      INTEGER NOT NULL,
  begun_n       INTEGER NOT NULL,
  at_ms         INTEGER NOT NULL,
  PRIMARY KEY (identity, session_id)
) WITHOUT ROWID;
DELETE FROM fetch;
