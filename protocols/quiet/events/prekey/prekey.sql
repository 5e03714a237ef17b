CREATE TABLE IF NOT EXISTS prekey (
  event       INTEGER PRIMARY KEY REFERENCES event (n),
  device      BLOB NOT NULL,
  public_key  BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS prekey_by_device ON prekey (device);
