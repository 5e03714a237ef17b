CREATE TABLE IF NOT EXISTS peer (
  event   INTEGER PRIMARY KEY REFERENCES event (n),
  device  BLOB NOT NULL,
  user    INTEGER NOT NULL REFERENCES event (n),
  invite  INTEGER REFERENCES event (n)
);
CREATE INDEX IF NOT EXISTS peer_by_device ON peer (device);
CREATE INDEX IF NOT EXISTS peer_by_user ON peer (user);

-- The user that a device speaks for. A device that declares itself for two (by signing two histories) speaks for the one with the lower id, on
-- every node, in whatever order the declarations arrived.
CREATE VIEW IF NOT EXISTS device_user AS
  SELECT pe.identity AS identity, p.device AS device, u.n AS user, min(u.id) AS user_id
  FROM peer p JOIN event pe ON pe.n = p.event JOIN event u ON u.n = p.user GROUP BY pe.identity, p.device;
