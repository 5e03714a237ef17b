-- Integers only: the text stays in the event's body. `shown`: the event whose body holds it, the message itself or its newest edit.
CREATE TABLE IF NOT EXISTS message (
  event       INTEGER PRIMARY KEY REFERENCES event (n),
  channel     INTEGER NOT NULL REFERENCES event (n),
  created_ms  INTEGER NOT NULL,
  seq         INTEGER NOT NULL,
  shown       INTEGER NOT NULL REFERENCES event (n)
);
CREATE INDEX IF NOT EXISTS message_by_time ON message (channel, created_ms, seq);

-- Messages that may be shown, with who wrote them and when; `body` is the text's, of the message or of its newest edit.
CREATE VIEW IF NOT EXISTS shown_message AS
  SELECT m.event AS n, e.identity AS identity, e.id AS id, e.author AS author, e.created_ms AS created_ms, e.expires_ms AS expires_ms,
    e.group_n AS group_n, CASE WHEN m.shown = m.event THEN NULL ELSE s.created_ms END AS edited_ms, s.body AS body
  FROM message m JOIN event e ON e.n = m.event JOIN live_event s ON s.n = m.shown JOIN event c ON c.n = m.channel
  WHERE e.expires_ms > now_ms() AND c.body IS NOT NULL;
