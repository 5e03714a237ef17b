PRAGMA user_version = 4;

CREATE TABLE address (
  event    INTEGER PRIMARY KEY REFERENCES event (n),
  address  TEXT NOT NULL
);

CREATE TABLE admit (
  event   INTEGER PRIMARY KEY REFERENCES event (n),
  joiner  INTEGER NOT NULL REFERENCES event (n)
);

CREATE TABLE aimed_at (
  event   INTEGER PRIMARY KEY,
  target  BLOB NOT NULL
);

CREATE TABLE chain_gap (
  identity  INTEGER NOT NULL,
  device    BLOB NOT NULL,
  group_id  BLOB NOT NULL,
  missing   BLOB NOT NULL,
  -- The number of the event above: those below have lower ones.
  below_seq INTEGER NOT NULL,
  PRIMARY KEY (identity, device, group_id)
) WITHOUT ROWID;

CREATE TABLE chain_head (
  identity  INTEGER NOT NULL,
  group_id  BLOB NOT NULL,
  seq       INTEGER NOT NULL,
  event_id  BLOB NOT NULL,
  PRIMARY KEY (identity, group_id)
) WITHOUT ROWID;

CREATE TABLE chain_header (
  identity   INTEGER NOT NULL,
  id         BLOB NOT NULL,
  header     BLOB NOT NULL,
  signature  BLOB NOT NULL,
  PRIMARY KEY (identity, id)
) WITHOUT ROWID;

CREATE TABLE chain_link (
  identity  INTEGER NOT NULL,
  id        BLOB NOT NULL,
  device    BLOB NOT NULL,
  group_id  BLOB NOT NULL,
  PRIMARY KEY (identity, id)
) WITHOUT ROWID;

CREATE TABLE chain_scan (
  identity   INTEGER PRIMARY KEY,
  through_n  INTEGER NOT NULL
);

CREATE TABLE channel (
  event  INTEGER PRIMARY KEY REFERENCES event (n)
);

CREATE TABLE clock_witness (
  identity   INTEGER NOT NULL,
  user_id    BLOB NOT NULL,
  offset_ms  INTEGER NOT NULL,
  seen_ms    INTEGER NOT NULL,
  PRIMARY KEY (identity, user_id)
) WITHOUT ROWID;

CREATE TABLE cut (
  identity  INTEGER NOT NULL,
  device    BLOB NOT NULL,
  group_id  BLOB NOT NULL,
  seq       INTEGER NOT NULL,
  head      BLOB,
  PRIMARY KEY (identity, device, group_id)
) WITHOUT ROWID;

CREATE TABLE cut_applied (
  identity  INTEGER NOT NULL,
  device    BLOB NOT NULL,
  group_id  BLOB NOT NULL,
  seq       INTEGER NOT NULL,
  head      BLOB,
  PRIMARY KEY (identity, device, group_id)
) WITHOUT ROWID;

CREATE TABLE depends_on (
  target  INTEGER NOT NULL,
  event   INTEGER NOT NULL,
  PRIMARY KEY (target, event)
) WITHOUT ROWID;

CREATE TABLE dial_hint (
  identity  INTEGER NOT NULL,
  device    BLOB NOT NULL,
  address   TEXT NOT NULL,
  PRIMARY KEY (identity, device, address)
) WITHOUT ROWID;

CREATE TABLE dirty_key (
  event   INTEGER PRIMARY KEY REFERENCES event (n),
  key_id  BLOB NOT NULL
);

CREATE TABLE dying (
  event     INTEGER PRIMARY KEY,
  identity  INTEGER NOT NULL,
  after     INTEGER NOT NULL,
  why       TEXT NOT NULL
);

CREATE TABLE edit (
  event    INTEGER PRIMARY KEY REFERENCES event (n),
  message  INTEGER NOT NULL REFERENCES event (n)
);

CREATE TABLE event (
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

CREATE TABLE fetch (
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

CREATE TABLE forgotten_by (
  event   INTEGER NOT NULL REFERENCES event (n),
  of_id   BLOB NOT NULL,
  PRIMARY KEY (event, of_id)
) WITHOUT ROWID;

CREATE TABLE group_device (
  identity  INTEGER NOT NULL,
  group_id  BLOB NOT NULL,
  device    BLOB NOT NULL,
  PRIMARY KEY (identity, group_id, device)
) WITHOUT ROWID;

CREATE TABLE group_key (
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

CREATE TABLE group_member (
  event       INTEGER NOT NULL REFERENCES event (n),
  group_n     INTEGER NOT NULL REFERENCES event (n),
  user        INTEGER NOT NULL REFERENCES event (n),
  PRIMARY KEY (event, user)
) WITHOUT ROWID;

CREATE TABLE identity (
  identity         INTEGER PRIMARY KEY,
  network_id       BLOB,
  device           BLOB NOT NULL UNIQUE,
  slot             INTEGER NOT NULL,
  last_created_ms  INTEGER NOT NULL DEFAULT 0,
  created_ms       INTEGER NOT NULL
);

CREATE TABLE invite (
  event              INTEGER PRIMARY KEY REFERENCES event (n),
  invite_key         BLOB NOT NULL,
  uses               INTEGER NOT NULL,
  invite_expires_ms  INTEGER NOT NULL,
  user               INTEGER REFERENCES event (n),
  basis              INTEGER REFERENCES event (n)
);

CREATE TABLE invite_revocation (
  event   INTEGER PRIMARY KEY REFERENCES event (n),
  invite  INTEGER NOT NULL REFERENCES event (n)
);

CREATE TABLE judgement_gap (
  identity  INTEGER NOT NULL,
  missing   BLOB NOT NULL,
  PRIMARY KEY (identity, missing)
) WITHOUT ROWID;

CREATE TABLE key_delivery (
  event   INTEGER PRIMARY KEY REFERENCES event (n),
  key_id  BLOB NOT NULL,
  device  BLOB NOT NULL
);

CREATE TABLE key_request (
  event   INTEGER PRIMARY KEY REFERENCES event (n),
  key_id  BLOB NOT NULL
);

CREATE TABLE key_slot (
  id      INTEGER PRIMARY KEY,
  secret  BLOB NOT NULL CHECK (length(secret) = 32)
);

CREATE TABLE key_slot_lock (
  id            INTEGER PRIMARY KEY CHECK (id = 1),
  salt          BLOB NOT NULL,
  operations    INTEGER NOT NULL,
  memory_bytes  INTEGER NOT NULL,
  probe         BLOB NOT NULL
);

CREATE TABLE key_slot_use (
  slot      INTEGER PRIMARY KEY,
  identity  INTEGER NOT NULL,
  purpose   TEXT NOT NULL,
  nonce     BLOB,
  tag       BLOB
);

CREATE TABLE member_device (
  identity  INTEGER NOT NULL,
  device    BLOB NOT NULL,
  PRIMARY KEY (identity, device)
) WITHOUT ROWID;

CREATE TABLE message (
  event       INTEGER PRIMARY KEY REFERENCES event (n),
  channel     INTEGER NOT NULL REFERENCES event (n),
  created_ms  INTEGER NOT NULL,
  seq         INTEGER NOT NULL,
  shown       INTEGER NOT NULL REFERENCES event (n)
);

CREATE TABLE missing_link (
  identity  INTEGER NOT NULL,
  id        BLOB NOT NULL,
  PRIMARY KEY (identity, id)
) WITHOUT ROWID;

CREATE TABLE network (
  event     INTEGER PRIMARY KEY REFERENCES event (n),
  identity  INTEGER NOT NULL UNIQUE,
  creator   BLOB NOT NULL
);

CREATE TABLE notification (
  event        INTEGER PRIMARY KEY REFERENCES event (n),
  about        INTEGER NOT NULL REFERENCES event (n),
  noticed_ms   INTEGER NOT NULL
);

CREATE TABLE peer (
  event   INTEGER PRIMARY KEY REFERENCES event (n),
  device  BLOB NOT NULL,
  user    INTEGER NOT NULL REFERENCES event (n),
  invite  INTEGER REFERENCES event (n)
);

CREATE TABLE prekey (
  event       INTEGER PRIMARY KEY REFERENCES event (n),
  device      BLOB NOT NULL,
  public_key  BLOB NOT NULL
);

CREATE TABLE prekey_secret (
  identity    INTEGER NOT NULL,
  public_key  BLOB NOT NULL,
  slot        INTEGER NOT NULL,
  created_ms  INTEGER NOT NULL,
  retired_ms  INTEGER,
  PRIMARY KEY (identity, public_key)
) WITHOUT ROWID;

CREATE TABLE private_group (
  event    INTEGER PRIMARY KEY REFERENCES event (n),
  kind     TEXT NOT NULL,
  creator  INTEGER NOT NULL REFERENCES event (n)
);

CREATE TABLE profile (
  event  INTEGER PRIMARY KEY REFERENCES event (n)
);

CREATE TABLE purge (
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

CREATE TABLE reaction (
  event    INTEGER PRIMARY KEY REFERENCES event (n),
  message  INTEGER NOT NULL REFERENCES event (n)
);

CREATE TABLE read_mark (
  identity       INTEGER NOT NULL,
  channel        BLOB NOT NULL,
  read_until_ms  INTEGER NOT NULL,
  PRIMARY KEY (identity, channel)
) WITHOUT ROWID;

CREATE TABLE refused (
  n         INTEGER PRIMARY KEY,
  identity  INTEGER NOT NULL,
  id        BLOB NOT NULL,
  rule      TEXT NOT NULL,
  header    BLOB NOT NULL
);

CREATE TABLE removal (
  event       INTEGER PRIMARY KEY REFERENCES event (n),
  user        INTEGER NOT NULL REFERENCES event (n),
  whole_user  INTEGER NOT NULL,
  basis       INTEGER REFERENCES event (n),
  because     INTEGER REFERENCES event (n)
);

CREATE TABLE removal_head (
  event   INTEGER NOT NULL REFERENCES event (n),
  device  BLOB NOT NULL,
  seq     INTEGER NOT NULL,
  head    BLOB NOT NULL,
  PRIMARY KEY (event, device)
) WITHOUT ROWID;

CREATE TABLE removal_known (
  event  INTEGER NOT NULL REFERENCES event (n),
  known  INTEGER NOT NULL REFERENCES event (n),
  PRIMARY KEY (event, known)
) WITHOUT ROWID;

CREATE TABLE retention (
  event    INTEGER PRIMARY KEY REFERENCES event (n),
  channel  INTEGER NOT NULL REFERENCES event (n),
  ttl_ms   INTEGER NOT NULL
);

CREATE TABLE revocation (
  event       INTEGER PRIMARY KEY REFERENCES event (n),
  grant_event INTEGER NOT NULL REFERENCES event (n),
  basis       INTEGER REFERENCES event (n),
  because     INTEGER REFERENCES event (n)
);

CREATE TABLE revocation_head (
  event   INTEGER NOT NULL REFERENCES event (n),
  device  BLOB NOT NULL,
  seq     INTEGER NOT NULL,
  head    BLOB NOT NULL,
  PRIMARY KEY (event, device)
) WITHOUT ROWID;

CREATE TABLE right_cut (
  identity  INTEGER NOT NULL,
  grant_id  BLOB NOT NULL,
  device    BLOB NOT NULL,
  group_id  BLOB NOT NULL,
  seq       INTEGER NOT NULL,
  head      BLOB,
  PRIMARY KEY (identity, grant_id, device, group_id)
) WITHOUT ROWID;

CREATE TABLE right_cut_applied (
  identity  INTEGER NOT NULL,
  grant_id  BLOB NOT NULL,
  device    BLOB NOT NULL,
  group_id  BLOB NOT NULL,
  seq       INTEGER NOT NULL,
  head      BLOB,
  PRIMARY KEY (identity, grant_id, device, group_id)
) WITHOUT ROWID;

CREATE TABLE right_grant (
  event     INTEGER PRIMARY KEY REFERENCES event (n),
  user      INTEGER NOT NULL REFERENCES event (n),
  kind      TEXT NOT NULL,
  basis     INTEGER REFERENCES event (n)
);

CREATE TABLE session (
  identity    INTEGER NOT NULL,
  session_id  TEXT NOT NULL,
  device      BLOB NOT NULL,
  opened_ms   INTEGER NOT NULL,
  PRIMARY KEY (identity, session_id)
) WITHOUT ROWID;

CREATE TABLE sqlite_stat1(tbl,idx,stat);

CREATE TABLE sum_change (
  n         INTEGER PRIMARY KEY,
  identity  INTEGER NOT NULL,
  set_n     INTEGER NOT NULL,
  id        BLOB NOT NULL,
  more      INTEGER NOT NULL
);

CREATE TABLE sum_node (
  identity  INTEGER NOT NULL,
  set_n     INTEGER NOT NULL,
  level     INTEGER NOT NULL,
  lower     BLOB NOT NULL,
  count     INTEGER NOT NULL,
  sum       BLOB NOT NULL,
  PRIMARY KEY (identity, set_n, level, lower)
) WITHOUT ROWID;

CREATE TABLE synced (
  identity  INTEGER PRIMARY KEY,
  at_ms     INTEGER NOT NULL
);

CREATE TABLE synced_with (
  identity   INTEGER NOT NULL,
  device     BLOB NOT NULL,
  through_n  INTEGER NOT NULL,
  at_ms      INTEGER NOT NULL,
  PRIMARY KEY (identity, device)
) WITHOUT ROWID;

CREATE TABLE title (
  event  INTEGER PRIMARY KEY REFERENCES event (n),
  of_id  BLOB NOT NULL
);

CREATE TABLE user (
  event   INTEGER PRIMARY KEY REFERENCES event (n),
  device  BLOB NOT NULL,
  invite  INTEGER REFERENCES event (n)
);

CREATE TABLE waiting (
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

CREATE TABLE waiting_for (
  identity  INTEGER NOT NULL,
  missing   BLOB NOT NULL,
  waiting   INTEGER NOT NULL,
  PRIMARY KEY (identity, missing, waiting)
) WITHOUT ROWID;

CREATE TABLE waiting_wrap (
  waiting  INTEGER NOT NULL,
  place    INTEGER NOT NULL,
  key_id   BLOB NOT NULL,
  sealed   BLOB NOT NULL,
  PRIMARY KEY (waiting, place)
) WITHOUT ROWID;

CREATE TABLE wrap (
  of        INTEGER NOT NULL,
  key       INTEGER NOT NULL,
  sealed    BLOB,
  replaced  INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (of, key)
) WITHOUT ROWID;

CREATE INDEX admit_by_joiner ON admit (joiner);

CREATE INDEX aimed_at_target ON aimed_at (target);

CREATE INDEX chain_link_by_device ON chain_link (identity, device, group_id);

CREATE INDEX depends_on_by_event ON depends_on (event);

CREATE INDEX dirty_key_by_key ON dirty_key (key_id);

CREATE INDEX edit_by_message ON edit (message);

CREATE INDEX event_by_author ON event (identity, author, group_n, seq);

CREATE INDEX event_by_expiry ON event (identity, expires_ms) WHERE (body IS NOT NULL OR superseded = 1) AND expires_ms < 9007199254740991;

CREATE UNIQUE INDEX event_by_id ON event (identity, id);

CREATE INDEX event_by_set ON event (identity, group_n, id) WHERE body IS NOT NULL;

CREATE INDEX event_dead ON event (identity, id) WHERE body IS NULL;

CREATE INDEX event_opaque ON event (n) WHERE opaque = 1;

CREATE INDEX forgotten_by_id ON forgotten_by (of_id);

CREATE INDEX group_key_by_expiry ON group_key (identity, expires_ms) WHERE slot IS NOT NULL;

CREATE INDEX group_key_by_group ON group_key (identity, group_id, channel_id, expires_ms);

CREATE UNIQUE INDEX group_key_by_id ON group_key (identity, id);

CREATE INDEX group_key_dirty ON group_key (identity) WHERE dirty_ms IS NOT NULL AND slot IS NOT NULL;

CREATE INDEX group_member_by_group ON group_member (group_n, user);

CREATE INDEX group_member_by_user ON group_member (user);

CREATE INDEX invite_revocation_by_invite ON invite_revocation (invite);

CREATE INDEX key_delivery_by_key ON key_delivery (key_id, device);

CREATE INDEX key_request_by_key ON key_request (key_id);

CREATE INDEX message_by_time ON message (channel, created_ms, seq);

CREATE INDEX peer_by_device ON peer (device);

CREATE INDEX peer_by_user ON peer (user);

CREATE INDEX prekey_by_device ON prekey (device);

CREATE INDEX purge_by_key ON purge (whose, key_id);

CREATE INDEX purge_open ON purge (n) WHERE zeroed_ms IS NULL;

CREATE INDEX reaction_by_message ON reaction (message);

CREATE UNIQUE INDEX refused_by_id ON refused (identity, id);

CREATE INDEX removal_by_user ON removal (user);

CREATE INDEX retention_by_channel ON retention (channel);

CREATE INDEX right_grant_by_user ON right_grant (user);

CREATE INDEX title_of ON title (of_id);

CREATE INDEX user_by_invite ON user (invite);

CREATE INDEX waiting_by_author ON waiting (identity, author);

CREATE INDEX waiting_by_expiry ON waiting (identity, expires_ms);

CREATE UNIQUE INDEX waiting_by_id ON waiting (identity, id);

CREATE INDEX waiting_by_rule ON waiting (identity, rule);

CREATE INDEX waiting_by_target ON waiting (identity, target) WHERE target IS NOT NULL;

CREATE INDEX waiting_by_time ON waiting (identity, not_before_ms, received_ms);

CREATE INDEX waiting_for_by_waiting ON waiting_for (waiting);

CREATE INDEX waiting_wrap_by_key ON waiting_wrap (key_id);

CREATE INDEX wrap_by_key ON wrap (key, replaced) WHERE sealed IS NOT NULL;

CREATE INDEX wrap_gone_by_key ON wrap (key) WHERE sealed IS NULL;

CREATE VIEW current_device AS
  SELECT m.identity AS identity, m.device AS device FROM member_device m
  WHERE NOT EXISTS (SELECT 1 FROM cut c WHERE c.identity = m.identity AND c.device = m.device AND c.group_id = x'');

CREATE VIEW current_group_device AS
  SELECT g.identity AS identity, g.group_id AS group_id, g.device AS device
  FROM group_device g JOIN current_device d ON d.identity = g.identity AND d.device = g.device
  WHERE NOT EXISTS (SELECT 1 FROM cut c WHERE c.identity = g.identity AND c.device = g.device AND c.group_id = g.group_id);

CREATE VIEW device_user AS
  SELECT pe.identity AS identity, p.device AS device, u.n AS user, min(u.id) AS user_id
  FROM peer p JOIN event pe ON pe.n = p.event JOIN event u ON u.n = p.user GROUP BY pe.identity, p.device;

CREATE VIEW known_header AS
  SELECT identity, id, header FROM event UNION ALL SELECT identity, id, header FROM waiting UNION ALL SELECT identity, id, header FROM refused
  UNION ALL SELECT identity, id, header FROM chain_header;

CREATE VIEW live_event AS
  SELECT n, identity, id, type, author, group_n, seq, created_ms, expires_ms,
    CASE WHEN sealed = 0 THEN body ELSE (
      SELECT opened_body(e.id, e.header, e.body, k.id, w.sealed, s.secret, u.nonce, u.tag)
      FROM wrap w JOIN group_key k ON k.n = w.key JOIN key_slot s ON s.id = k.slot JOIN key_slot_use u ON u.slot = s.id
      WHERE w.of = e.n AND w.sealed IS NOT NULL ORDER BY k.dirty_ms IS NOT NULL, k.expires_ms, k.id LIMIT 1
    ) END AS body
  FROM event e WHERE e.body IS NOT NULL AND e.expires_ms > now_ms();

CREATE VIEW shown_message AS
  SELECT m.event AS n, e.identity AS identity, e.id AS id, e.author AS author, e.created_ms AS created_ms, e.expires_ms AS expires_ms,
    e.group_n AS group_n, CASE WHEN m.shown = m.event THEN NULL ELSE s.created_ms END AS edited_ms, s.body AS body
  FROM message m JOIN event e ON e.n = m.event JOIN live_event s ON s.n = m.shown JOIN event c ON c.n = m.channel
  WHERE e.expires_ms > now_ms() AND c.body IS NOT NULL;

CREATE TRIGGER sum_less AFTER DELETE ON event WHEN old.body IS NOT NULL BEGIN
  INSERT INTO sum_change (identity, set_n, id, more) VALUES (old.identity, coalesce(old.group_n, 0), old.id, -1);
END;

CREATE TRIGGER sum_more AFTER INSERT ON event WHEN new.body IS NOT NULL BEGIN
  INSERT INTO sum_change (identity, set_n, id, more) VALUES (new.identity, coalesce(new.group_n, 0), new.id, 1);
END;

CREATE TRIGGER sum_other AFTER UPDATE OF body, group_n ON event
WHEN (old.body IS NULL) <> (new.body IS NULL) OR old.group_n IS NOT new.group_n BEGIN
  INSERT INTO sum_change (identity, set_n, id, more) SELECT old.identity, coalesce(old.group_n, 0), old.id, -1 WHERE old.body IS NOT NULL;
  INSERT INTO sum_change (identity, set_n, id, more) SELECT new.identity, coalesce(new.group_n, 0), new.id, 1 WHERE new.body IS NOT NULL;
END;
