CREATE TABLE IF NOT EXISTS dial_hint (
  identity  INTEGER NOT NULL,
  device    BLOB NOT NULL,
  address   TEXT NOT NULL,
  PRIMARY KEY (identity, device, address)
) WITHOUT ROWID;
