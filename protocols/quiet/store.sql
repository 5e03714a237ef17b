-- The pipeline's own tables. Every row belongs to one identity, directly or through the event it refers to by its number `n`:
-- small integers instead of 32-byte ids keep the projections and their indexes narrow.

-- Every event that is valid here. `body` is NULL in a tombstone: what is left of a dead event is its signed header.
-- `opaque`: of a type that this node does not know: kept and synced, not projected.
CREATE TABLE IF NOT EXISTS event (
  n           INTEGER PRIMARY KEY,
  identity    INTEGER NOT NULL,
  id          BLOB NOT NULL,
  type        TEXT NOT NULL,
  author      BLOB NOT NULL,
  seq         INTEGER NOT NULL,
  created_ms  INTEGER NOT NULL,
  expires_ms  INTEGER NOT NULL,
  opaque      INTEGER NOT NULL DEFAULT 0,
  header      BLOB NOT NULL,
  signature   BLOB NOT NULL,
  body        BLOB
);
-- The time in front of the id makes inserts append, and this is also the order in which peers compare what they have.
CREATE UNIQUE INDEX IF NOT EXISTS event_by_id ON event (identity, id);
CREATE INDEX IF NOT EXISTS event_opaque ON event (n) WHERE opaque = 1;

-- What may be shown: neither deleted nor expired. Every read of a person goes through this view.
CREATE VIEW IF NOT EXISTS live_event AS
  SELECT n, identity, id, type, author, seq, created_ms, expires_ms, body FROM event WHERE body IS NOT NULL AND expires_ms > now_ms();

-- Events that die with another one (a reaction with its message).
CREATE TABLE IF NOT EXISTS dies_with (
  target  INTEGER NOT NULL,
  event   INTEGER NOT NULL,
  PRIMARY KEY (target, event)
) WITHOUT ROWID;

-- Events that wait, as they were received: for other events or authors to become valid (`missing` counts them), or for their time.
CREATE TABLE IF NOT EXISTS waiting (
  n             INTEGER PRIMARY KEY,
  identity      INTEGER NOT NULL,
  id            BLOB NOT NULL,
  author        BLOB NOT NULL,
  rule          TEXT NOT NULL,
  missing       INTEGER NOT NULL,
  not_before_ms INTEGER NOT NULL DEFAULT 0,
  received_ms   INTEGER NOT NULL,
  header        BLOB NOT NULL,
  signature     BLOB NOT NULL,
  body          BLOB NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS waiting_by_id ON waiting (identity, id);
CREATE INDEX IF NOT EXISTS waiting_by_author ON waiting (identity, author);
CREATE INDEX IF NOT EXISTS waiting_by_time ON waiting (identity, not_before_ms, received_ms);

CREATE TABLE IF NOT EXISTS waiting_for (
  identity  INTEGER NOT NULL,
  missing   BLOB NOT NULL,
  waiting   INTEGER NOT NULL,
  PRIMARY KEY (identity, missing, waiting)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS waiting_for_by_waiting ON waiting_for (waiting);

-- Ids refused for a lasting reason: neither asked for nor taken again. Bounded; the oldest go first.
CREATE TABLE IF NOT EXISTS refused (
  n         INTEGER PRIMARY KEY,
  identity  INTEGER NOT NULL,
  id        BLOB NOT NULL,
  rule      TEXT NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS refused_by_id ON refused (identity, id);

-- Devices whose events count. Written by the projectors of the types with effect `membership`.
CREATE TABLE IF NOT EXISTS member_device (
  identity  INTEGER NOT NULL,
  device    BLOB NOT NULL,
  PRIMARY KEY (identity, device)
) WITHOUT ROWID;

-- The only place where secrets are. Prefilled with zeros and changed in place, so that erasing one leaves no copy behind.
CREATE TABLE IF NOT EXISTS key_slot (
  id      INTEGER PRIMARY KEY,
  secret  BLOB NOT NULL CHECK (length(secret) = 32)
);
CREATE TABLE IF NOT EXISTS key_slot_use (
  slot     INTEGER PRIMARY KEY,
  purpose  TEXT NOT NULL
);
