-- What peers compare instead of lists of ids: the number and the sum of the ids in every range of every set, without looking at each. A set is what
-- one audience has in common: `set_n` is the private group's row number, 0 for everybody. The ids of a set are cut into runs; a node says how many there
-- are from `lower` on, up to the next node of its level, and what they add up to. Nodes of level 1 are runs of ids, those of the levels above
-- runs of nodes, and each `lower` is one of the level below, too. The highest level has one node.
CREATE TABLE IF NOT EXISTS sum_node (
  identity  INTEGER NOT NULL,
  set_n     INTEGER NOT NULL,
  level     INTEGER NOT NULL,
  lower     BLOB NOT NULL,
  count     INTEGER NOT NULL,
  sum       BLOB NOT NULL,
  PRIMARY KEY (identity, set_n, level, lower)
) WITHOUT ROWID;

-- What this transaction has added to the sets or taken out of them. Folded into the nodes before it is committed.
CREATE TABLE IF NOT EXISTS sum_change (
  n         INTEGER PRIMARY KEY,
  identity  INTEGER NOT NULL,
  set_n     INTEGER NOT NULL,
  id        BLOB NOT NULL,
  more      INTEGER NOT NULL
);

CREATE TRIGGER IF NOT EXISTS sum_more AFTER INSERT ON event WHEN new.body IS NOT NULL BEGIN
  INSERT INTO sum_change (identity, set_n, id, more) VALUES (new.identity, coalesce(new.group_n, 0), new.id, 1);
END;
CREATE TRIGGER IF NOT EXISTS sum_less AFTER DELETE ON event WHEN old.body IS NOT NULL BEGIN
  INSERT INTO sum_change (identity, set_n, id, more) VALUES (old.identity, coalesce(old.group_n, 0), old.id, -1);
END;
CREATE TRIGGER IF NOT EXISTS sum_other AFTER UPDATE OF body, group_n ON event
WHEN (old.body IS NULL) <> (new.body IS NULL) OR old.group_n IS NOT new.group_n BEGIN
  INSERT INTO sum_change (identity, set_n, id, more) SELECT old.identity, coalesce(old.group_n, 0), old.id, -1 WHERE old.body IS NOT NULL;
  INSERT INTO sum_change (identity, set_n, id, more) SELECT new.identity, coalesce(new.group_n, 0), new.id, 1 WHERE new.body IS NOT NULL;
END;
