/**
 * The runtime's own tables. `identity`: one row per device key of this node, each in one network; every other row in the database belongs to
 * one of them. The secret is in the key slot with the number `slot`.
 */
/** Grows when a table's shape changes. */
export const SCHEMA_VERSION = 4;

export const CORE_SCHEMA = `
CREATE TABLE IF NOT EXISTS identity (
  identity         INTEGER PRIMARY KEY,
  network_id       BLOB,
  device           BLOB NOT NULL UNIQUE,
  slot             INTEGER NOT NULL,
  last_created_ms  INTEGER NOT NULL DEFAULT 0,
  created_ms       INTEGER NOT NULL
);
`;
