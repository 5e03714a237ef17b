CREATE TABLE IF NOT EXISTS prekey (
  event       INTEGER PRIMARY KEY REFERENCES event (n),
  public_key  BLOB NOT NULL
);
