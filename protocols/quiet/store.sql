-- The pipeline's own tables. Every row belongs to one identity, directly or through the event it refers to by its number `n`:
-- small integers instead of 32-byte ids keep the projections and their indexes narrow.

-- Every event that is valid here. `body` is NULL in a tombstone: what is left of a dead event is its signed header. `sealed`: the body is
-- ciphertext, and stays so. `superseded`: the body is gone because a newer event took its place; the event itself lives.
-- `group_n`: the private group it is for, NULL for everybody. `opaque`: of a type that this node does not know: kept and synced, not projected.
CREATE TABLE IF NOT EXISTS event (
  n           INTEGER PRIMARY KEY,
  identity    INTEGER NOT NULL,
  id          BLOB NOT NULL,
  type        TEXT NOT NULL,
  author      BLOB NOT NULL,
  group_n     INTEGER,
  seq         INTEGER NOT NULL,
  created_ms  INTEGER NOT NULL,
  expires_ms  INTEGER NOT NULL,
  sealed      INTEGER NOT NULL DEFAULT 0,
  superseded  INTEGER NOT NULL DEFAULT 0,
  opaque      INTEGER NOT NULL DEFAULT 0,
  header      BLOB NOT NULL,
  signature   BLOB NOT NULL,
  body        BLOB
);
-- The time in front of the id makes inserts append, and this is also the order in which peers compare what they have.
CREATE UNIQUE INDEX IF NOT EXISTS event_by_id ON event (identity, id);
-- The sets that peers compare (see sums.sql), in that order; and what is left of the dead, whose ids nobody is asked for again.
CREATE INDEX IF NOT EXISTS event_by_set ON event (identity, group_n, id) WHERE body IS NOT NULL;
CREATE INDEX IF NOT EXISTS event_dead ON event (identity, id) WHERE body IS NULL;
-- A device's chain in one audience: where a removal cuts, and where two events of one number show a clone.
CREATE INDEX IF NOT EXISTS event_by_author ON event (identity, author, group_n, seq);
CREATE INDEX IF NOT EXISTS event_opaque ON event (n) WHERE opaque = 1;
-- What expires some day and is not dead yet.
CREATE INDEX IF NOT EXISTS event_by_expiry ON event (identity, expires_ms) WHERE (body IS NOT NULL OR superseded = 1) AND expires_ms < 9007199254740991;

-- The content keys of sealed events, each sealed under a group key. `sealed` NULL: the event was deleted (or edited), the wrap is gone, and
-- that it was under this key is remembered: it is what makes the key dirty. `replaced`: there is one under a clean key, too, so that this one
-- is no longer needed; it only tells where to look.
CREATE TABLE IF NOT EXISTS wrap (
  of        INTEGER NOT NULL,
  key       INTEGER NOT NULL,
  sealed    BLOB,
  replaced  INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (of, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS wrap_by_key ON wrap (key, replaced) WHERE sealed IS NOT NULL;
CREATE INDEX IF NOT EXISTS wrap_gone_by_key ON wrap (key) WHERE sealed IS NULL;

-- Group keys that this device holds, or held. The key itself is in its slot; NULL once it has been erased. `events`: how many content keys it
-- seals here.
CREATE TABLE IF NOT EXISTS group_key (
  n           INTEGER PRIMARY KEY,
  identity    INTEGER NOT NULL,
  id          BLOB NOT NULL,
  group_id    BLOB NOT NULL,
  channel_id  BLOB,
  expires_ms  INTEGER NOT NULL,
  slot        INTEGER,
  -- Made here; else it was given to us, and perhaps to nobody else.
  minted      INTEGER NOT NULL DEFAULT 0,
  events      INTEGER NOT NULL DEFAULT 0,
  held_ms     INTEGER NOT NULL,
  -- Since when it is known to have sealed something that was deleted; it never becomes clean again.
  dirty_ms    INTEGER,
  -- From here on no further event under it is taken in.
  closed_ms   INTEGER,
  -- When it was erased from its slot.
  zeroed_ms   INTEGER,
  -- Prekeys that this device published up to here may have been sent it.
  exposed_ms  INTEGER
);
CREATE UNIQUE INDEX IF NOT EXISTS group_key_by_id ON group_key (identity, id);
CREATE INDEX IF NOT EXISTS group_key_by_group ON group_key (identity, group_id, channel_id, expires_ms);
CREATE INDEX IF NOT EXISTS group_key_dirty ON group_key (identity) WHERE dirty_ms IS NOT NULL AND slot IS NOT NULL;
CREATE INDEX IF NOT EXISTS group_key_by_expiry ON group_key (identity, expires_ms) WHERE slot IS NOT NULL;

-- Which device was given which group key, and by whom (the event's author).
CREATE TABLE IF NOT EXISTS key_delivery (
  event   INTEGER PRIMARY KEY REFERENCES event (n),
  key_id  BLOB NOT NULL,
  device  BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS key_delivery_by_key ON key_delivery (key_id, device);

-- Keys that somebody has said are dirty (types with effect `dirty`, written by their projector), held here or not.
CREATE TABLE IF NOT EXISTS dirty_key (
  event   INTEGER PRIMARY KEY REFERENCES event (n),
  key_id  BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS dirty_key_by_key ON dirty_key (key_id);

-- Secret halves of this device's prekeys. `retired_ms`: newer ones have been published since a key that these may have carried became dirty.
CREATE TABLE IF NOT EXISTS prekey_secret (
  identity    INTEGER NOT NULL,
  public_key  BLOB NOT NULL,
  slot        INTEGER NOT NULL,
  created_ms  INTEGER NOT NULL,
  retired_ms  INTEGER,
  PRIMARY KEY (identity, public_key)
) WITHOUT ROWID;

-- Secrets that were erased: the intent, in the transaction that zeroed the slot, and the receipt, once no copy is left in the write-ahead log.
-- `unreachable_ms`, of group keys: since when no prekey is left that could open a recorded event which brought the key. Outlives its identity, and then
-- names neither network nor device.
CREATE TABLE IF NOT EXISTS purge (
  n               INTEGER PRIMARY KEY,
  whose           INTEGER NOT NULL,
  network_id      BLOB,
  kind            TEXT NOT NULL,
  key_id          BLOB NOT NULL,
  rule            TEXT NOT NULL,
  intended_ms     INTEGER NOT NULL,
  zeroed_ms       INTEGER,
  unreachable_ms  INTEGER
);
CREATE INDEX IF NOT EXISTS purge_open ON purge (n) WHERE zeroed_ms IS NULL;
CREATE INDEX IF NOT EXISTS purge_by_key ON purge (whose, key_id);

-- What an event names, and so dies with.
CREATE TABLE IF NOT EXISTS depends_on (
  target  INTEGER NOT NULL,
  event   INTEGER NOT NULL,
  PRIMARY KEY (target, event)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS depends_on_by_event ON depends_on (event);

-- The dead on which so much hangs that it takes more than one transaction: what hangs on them dies in the order of row numbers, `after` is how far it
-- has come.
CREATE TABLE IF NOT EXISTS dying (
  event     INTEGER PRIMARY KEY,
  identity  INTEGER NOT NULL,
  after     INTEGER NOT NULL,
  why       TEXT NOT NULL
);

-- What deletions and edits are aimed at.
CREATE TABLE IF NOT EXISTS aimed_at (
  event   INTEGER PRIMARY KEY,
  target  BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS aimed_at_target ON aimed_at (target);

-- Events that wait, as they were received: for other events, authors or keys to be there (`missing` counts them), for their time, or for
-- their author's standing to change.
CREATE TABLE IF NOT EXISTS waiting (
  n             INTEGER PRIMARY KEY,
  identity      INTEGER NOT NULL,
  id            BLOB NOT NULL,
  author        BLOB NOT NULL,
  group_id      BLOB,
  seq           INTEGER NOT NULL,
  rule          TEXT NOT NULL,
  missing       INTEGER NOT NULL,
  not_before_ms INTEGER NOT NULL DEFAULT 0,
  received_ms   INTEGER NOT NULL,
  expires_ms    INTEGER NOT NULL,
  -- What it deletes or edits, as its header says.
  target        BLOB,
  header        BLOB NOT NULL,
  signature     BLOB NOT NULL,
  body          BLOB NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS waiting_by_id ON waiting (identity, id);
CREATE INDEX IF NOT EXISTS waiting_by_author ON waiting (identity, author);
CREATE INDEX IF NOT EXISTS waiting_by_rule ON waiting (identity, rule);
CREATE INDEX IF NOT EXISTS waiting_by_time ON waiting (identity, not_before_ms, received_ms);
CREATE INDEX IF NOT EXISTS waiting_by_expiry ON waiting (identity, expires_ms);
CREATE INDEX IF NOT EXISTS waiting_by_target ON waiting (identity, target) WHERE target IS NOT NULL;

-- The wraps that came with them. Nobody has looked at them yet, and there may be several under one key.
CREATE TABLE IF NOT EXISTS waiting_wrap (
  waiting  INTEGER NOT NULL,
  place    INTEGER NOT NULL,
  key_id   BLOB NOT NULL,
  sealed   BLOB NOT NULL,
  PRIMARY KEY (waiting, place)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS waiting_wrap_by_key ON waiting_wrap (key_id);

CREATE TABLE IF NOT EXISTS waiting_for (
  identity  INTEGER NOT NULL,
  missing   BLOB NOT NULL,
  waiting   INTEGER NOT NULL,
  PRIMARY KEY (identity, missing, waiting)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS waiting_for_by_waiting ON waiting_for (waiting);

-- Ids refused for a lasting reason: neither asked for nor taken again. The header stays as a link in its author's chain. Bounded; the oldest go
-- first.
CREATE TABLE IF NOT EXISTS refused (
  n         INTEGER PRIMARY KEY,
  identity  INTEGER NOT NULL,
  id        BLOB NOT NULL,
  rule      TEXT NOT NULL,
  header    BLOB NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS refused_by_id ON refused (identity, id);

-- This node's own devices: the last event of each chain. `group_id` is empty for what everybody in the network gets.
CREATE TABLE IF NOT EXISTS chain_head (
  identity  INTEGER NOT NULL,
  group_id  BLOB NOT NULL,
  seq       INTEGER NOT NULL,
  event_id  BLOB NOT NULL,
  PRIMARY KEY (identity, group_id)
) WITHOUT ROWID;

-- Devices that have ever been let in. Written by projectors; only ever grows, so that the order of arrival does not matter.
CREATE TABLE IF NOT EXISTS member_device (
  identity  INTEGER NOT NULL,
  device    BLOB NOT NULL,
  PRIMARY KEY (identity, device)
) WITHOUT ROWID;

-- The devices of everybody who has ever been put into a private group. The same.
CREATE TABLE IF NOT EXISTS group_device (
  identity  INTEGER NOT NULL,
  group_id  BLOB NOT NULL,
  device    BLOB NOT NULL,
  PRIMARY KEY (identity, group_id, device)
) WITHOUT ROWID;

-- Where the events of a device end that count: `head` and what is reached from it by `prev`; nothing where it is NULL. `group_id` is empty for
-- the network, else one private group. Judged from all facts together; `cut_applied` is what the stored rows already reflect.
CREATE TABLE IF NOT EXISTS cut (
  identity  INTEGER NOT NULL,
  device    BLOB NOT NULL,
  group_id  BLOB NOT NULL,
  seq       INTEGER NOT NULL,
  head      BLOB,
  PRIMARY KEY (identity, device, group_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cut_applied (
  identity  INTEGER NOT NULL,
  device    BLOB NOT NULL,
  group_id  BLOB NOT NULL,
  seq       INTEGER NOT NULL,
  head      BLOB,
  PRIMARY KEY (identity, device, group_id)
) WITHOUT ROWID;

-- Grants that give nothing (`device` empty), or nothing to a device after `head`, in what is for everybody (`group_id` empty) or for one private
-- group. The same pair of tables.
CREATE TABLE IF NOT EXISTS right_cut (
  identity  INTEGER NOT NULL,
  grant_id  BLOB NOT NULL,
  device    BLOB NOT NULL,
  group_id  BLOB NOT NULL,
  seq       INTEGER NOT NULL,
  head      BLOB,
  PRIMARY KEY (identity, grant_id, device, group_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS right_cut_applied (
  identity  INTEGER NOT NULL,
  grant_id  BLOB NOT NULL,
  device    BLOB NOT NULL,
  group_id  BLOB NOT NULL,
  seq       INTEGER NOT NULL,
  head      BLOB,
  PRIMARY KEY (identity, grant_id, device, group_id)
) WITHOUT ROWID;

-- Events of cut devices that are proved to count: one walk back from the head. `chain_gap`: the id at which a walk stands, because nobody has
-- sent that event or its header yet.
CREATE TABLE IF NOT EXISTS chain_link (
  identity  INTEGER NOT NULL,
  id        BLOB NOT NULL,
  device    BLOB NOT NULL,
  group_id  BLOB NOT NULL,
  PRIMARY KEY (identity, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS chain_link_by_device ON chain_link (identity, device, group_id);
CREATE TABLE IF NOT EXISTS chain_gap (
  identity  INTEGER NOT NULL,
  device    BLOB NOT NULL,
  group_id  BLOB NOT NULL,
  missing   BLOB NOT NULL,
  -- The number of the event above: those below have lower ones.
  below_seq INTEGER NOT NULL,
  PRIMARY KEY (identity, device, group_id)
) WITHOUT ROWID;

-- Headers that came alone, for a chain: of events that are gone elsewhere, or are not there for us. The event itself may still come.
CREATE TABLE IF NOT EXISTS chain_header (
  identity   INTEGER NOT NULL,
  id         BLOB NOT NULL,
  header     BLOB NOT NULL,
  signature  BLOB NOT NULL,
  PRIMARY KEY (identity, id)
) WITHOUT ROWID;

-- Where the judgement itself stood for want of a header: it is made again when that has arrived.
CREATE TABLE IF NOT EXISTS judgement_gap (
  identity  INTEGER NOT NULL,
  missing   BLOB NOT NULL,
  PRIMARY KEY (identity, missing)
) WITHOUT ROWID;

-- The only place where secrets are. Prefilled with zeros and changed in place, so that erasing one leaves no copy behind.
CREATE TABLE IF NOT EXISTS key_slot (
  id      INTEGER PRIMARY KEY,
  secret  BLOB NOT NULL CHECK (length(secret) = 32)
);
-- What a slot is for. `nonce` and `tag` where a passphrase seals it.
CREATE TABLE IF NOT EXISTS key_slot_use (
  slot      INTEGER PRIMARY KEY,
  identity  INTEGER NOT NULL,
  purpose   TEXT NOT NULL,
  nonce     BLOB,
  tag       BLOB
);
-- One row where a passphrase seals the slots: how the key is made from it, and something to check it by.
CREATE TABLE IF NOT EXISTS key_slot_lock (
  id            INTEGER PRIMARY KEY CHECK (id = 1),
  salt          BLOB NOT NULL,
  operations    INTEGER NOT NULL,
  memory_bytes  INTEGER NOT NULL,
  probe         BLOB NOT NULL
);

-- What may be shown: neither deleted nor expired. Every read of a person goes through this view. `body` is what `content(field, body)` reads:
-- of sealed events it is opened as it is asked for, never stored.
CREATE VIEW IF NOT EXISTS live_event AS
  SELECT n, identity, id, type, author, group_n, seq, created_ms, expires_ms,
    CASE WHEN sealed = 0 THEN body ELSE (
      SELECT opened_body(e.id, e.header, e.body, k.id, w.sealed, s.secret, u.nonce, u.tag)
      FROM wrap w JOIN group_key k ON k.n = w.key JOIN key_slot s ON s.id = k.slot JOIN key_slot_use u ON u.slot = s.id
      WHERE w.of = e.n AND w.sealed IS NOT NULL ORDER BY k.dirty_ms IS NOT NULL, k.expires_ms, k.id LIMIT 1
    ) END AS body
  FROM event e WHERE e.body IS NOT NULL AND e.expires_ms > now_ms();

-- Devices whose new events count now: let in, and not removed.
CREATE VIEW IF NOT EXISTS current_device AS
  SELECT m.identity AS identity, m.device AS device FROM member_device m
  WHERE NOT EXISTS (SELECT 1 FROM cut c WHERE c.identity = m.identity AND c.device = m.device AND c.group_id = x'');

-- The same for one private group.
CREATE VIEW IF NOT EXISTS current_group_device AS
  SELECT g.identity AS identity, g.group_id AS group_id, g.device AS device
  FROM group_device g JOIN current_device d ON d.identity = g.identity AND d.device = g.device
  WHERE NOT EXISTS (SELECT 1 FROM cut c WHERE c.identity = g.identity AND c.device = g.device AND c.group_id = g.group_id);

-- Headers that are here in whatever state.
CREATE VIEW IF NOT EXISTS known_header AS
  SELECT identity, id, header FROM event UNION ALL SELECT identity, id, header FROM waiting UNION ALL SELECT identity, id, header FROM refused
  UNION ALL SELECT identity, id, header FROM chain_header;
