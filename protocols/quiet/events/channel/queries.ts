import { id, integer, text } from '../../../../core/fields.ts';
import { query } from '../../../../core/query.ts';

/** One row if the event is a channel, with its group. */
export const isChannel = query({
  description: 'The group of a channel; no row where there is no such channel.',
  params: { channel_id: id() },
  row: { channel_id: id(), group_id: id() },
  sql: `
    SELECT e.id AS channel_id, coalesce(g.id, i.network_id) AS group_id
    FROM channel c JOIN event e ON e.n = c.event JOIN identity i ON i.identity = e.identity LEFT JOIN event g ON g.n = e.group_n
    WHERE e.identity = :identity AND e.id = :channel_id`,
});

/** What a channel is, without looking at what was said in it. */
const PLACE = `
  SELECT e.id AS channel_id,
    coalesce((SELECT content('title', t.body) FROM title x JOIN live_event t ON t.n = x.event
      WHERE t.identity = e.identity AND x.of_id = e.id ORDER BY t.created_ms DESC, t.seq DESC, t.id DESC LIMIT 1), content('name', e.body)) AS name,
    e.created_ms, coalesce(g.id, i.network_id) AS group_id, coalesce(pg.kind, 'main') AS group_kind,
    (SELECT content('title', t.body) FROM title x JOIN live_event t ON t.n = x.event
      WHERE t.identity = e.identity AND x.of_id = g.id ORDER BY t.created_ms DESC, t.seq DESC, t.id DESC LIMIT 1) AS group_name,
    r.read_until_ms,
    nullif((SELECT y.ttl_ms FROM retention y JOIN live_event ye ON ye.n = y.event WHERE y.channel = c.event
      ORDER BY ye.created_ms DESC, ye.seq DESC, ye.id DESC LIMIT 1), 0) AS retention_ms`;
const COUNTS = `
    (SELECT count(*) FROM message m JOIN shown_message s ON s.n = m.event WHERE m.channel = c.event) AS messages,
    (SELECT count(*) FROM message m JOIN shown_message s ON s.n = m.event JOIN device_user d ON d.identity = s.identity AND d.device = s.author
      WHERE m.channel = c.event AND m.created_ms > coalesce(r.read_until_ms, 0)
        AND d.user <> coalesce((SELECT me.user FROM device_user me WHERE me.identity = i.identity AND me.device = i.device), 0)) AS unread`;
const ALL_CHANNELS = `
  FROM channel c JOIN live_event e ON e.n = c.event JOIN identity i ON i.identity = e.identity
    LEFT JOIN event g ON g.n = e.group_n LEFT JOIN private_group pg ON pg.event = e.group_n
    LEFT JOIN read_mark r ON r.identity = e.identity AND r.channel = e.id
  WHERE e.identity = :identity ORDER BY e.created_ms, e.seq, e.id LIMIT 5000`;
const place = {
  channel_id: id(),
  name: text(256),
  created_ms: integer(),
  group_id: id(),
  group_kind: text(8),
  group_name: text(256).nullable(),
  read_until_ms: integer().nullable(),
  retention_ms: integer().nullable(),
};

/** The channels of the network and of the private groups of this device, with how much was said in each. */
export const getChannels = query({
  description: 'The channels of the network and of the private groups of this device, oldest first.',
  params: {},
  row: { ...place, messages: integer(), unread: integer() },
  sql: `${PLACE}, ${COUNTS} ${ALL_CHANNELS}`,
});

/** The same without the counts: to find what somebody means costs the same however much was said. */
export const getChannelPlaces = query({
  description:
    'The channels of the network and of the private groups of this device, without counting messages.',
  params: {},
  row: place,
  sql: `${PLACE} ${ALL_CHANNELS}`,
});
