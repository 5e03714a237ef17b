/**
 * The shapes of what the API is asked. Closed: an unknown field is refused, so that a misspelt `tll_ms` never means "for ever".
 */

import { z } from '@hono/zod-openapi';

/** Rows one request may ask for: a page, not the database. */
export const rows_max = 1_000;

/** Receipts are small, and are to be had all at once: there is no page after the first. */
export const receipts_max = 10_000;

/** How long one `join` may hold its request open; the join itself goes on after that. */
export const join_timeout_ms_max = 10 * 60_000;

const hour_ms = 3_600_000;
const day_ms = 24 * hour_ms;

const selector = {
  network: z.string().optional().openapi({ description: "A network's id, short id, or name." }),
  as: z.string().optional().openapi({ description: "A user's name." }),
};

const limit = (rows: number, max = rows_max) => z.coerce.number().int().min(1).max(max).default(rows);
const ttl_ms = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const user = z.string().openapi({ description: "A user's name, or the beginning of its short id." });
const right = z.enum(['admin', 'invite', 'delete']);
/** A name like any other, and unknown like any other: the library would pass over it. */
const texts = z.preprocess((value, ctx) => {
  if (typeof value === 'object' && value !== null && Object.hasOwn(value, '__proto__'))
    ctx.addIssue({ code: 'custom', message: "unknown '__proto__'" });
  return value;
}, z.record(z.string(), z.string()).default({}));

export const nothing = z.strictObject({});
export const selection = z.strictObject(selector);
export const job_path = z.strictObject({ name: z.string() });
export const network_path = z.strictObject({ network: z.string() });
export const channel_path = z.strictObject({ channel: z.string() });
export const message_path = z.strictObject({ message: z.string() });
export const event_path = z.strictObject({ event: z.string() });
export const group_path = z.strictObject({ group: z.string() });
export const group_member_path = z.strictObject({ group: z.string(), user });
export const user_path = z.strictObject({ user });
export const device_path = z.strictObject({ device: z.string() });
export const invite_path = z.strictObject({ invite: z.string() });
export const grant_path = z.strictObject({ right, user });
export const name_path = z.strictObject({ name: z.string() });

export const network_request = z.strictObject({ name: z.string(), as: z.string() });
/** The network is in the path: what erases is never left to there being only one. */
export const identity_selection = z.strictObject({ as: selector.as });
export const invite_request = z.strictObject({
  uses: z.number().int().min(1).default(1),
  ttl_ms: ttl_ms.default(7 * day_ms),
  ...selector,
});
export const device_link_request = z.strictObject({ ttl_ms: ttl_ms.default(hour_ms), ...selector });
export const join_request = z.strictObject({
  link: z.string(),
  as: z
    .string()
    .optional()
    .openapi({ description: "Needed for a person's link; a device's link brings the user's name." }),
  timeout_ms: z.number().int().min(0).max(join_timeout_ms_max).default(30_000),
});
export const grant_request = z.strictObject({ right, user, ...selector });
export const leave_request = z.strictObject({
  force: z.boolean().default(false).openapi({
    description: 'Also where nobody else may invite, remove or give rights.',
  }),
  ...selector,
});
export const name_request = z.strictObject({ name: z.string(), ...selector });
export const group_request = z.strictObject({
  name: z.string(),
  users: z.array(user).default([]),
  ...selector,
});
export const group_member_request = z.strictObject({ user, ...selector });
export const channel_request = z.strictObject({
  name: z.string(),
  group: z.string().optional().openapi({ description: 'Without: the whole network.' }),
  ...selector,
});
const channel = z
  .string()
  .openapi({ description: "A channel's name, id, or short id; `@name`: the direct messages with a user." });
const message_ttl_ms = ttl_ms
  .nullable()
  .default(null)
  .openapi({ description: 'How long it lives; 0: for ever; null: as the channel says.' });
export const retention_request = z.strictObject({
  ttl_ms: ttl_ms.openapi({ description: 'How long new messages live; 0: for ever.' }),
  ...selector,
});
export const send_request = z.strictObject({
  channel,
  text: z.string(),
  ttl_ms: message_ttl_ms,
  ...selector,
});
export const dm_request = z.strictObject({ user, text: z.string(), ttl_ms: message_ttl_ms, ...selector });
export const edit_request = z.strictObject({ text: z.string(), ...selector });
export const read_query = z.strictObject({ channel, limit: limit(50), ...selector });
export const read_mark_request = z.strictObject({
  channel,
  read_until_ms: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional().openapi({
    description: 'When the newest message that was read was made. Without: everything was read.',
  }),
  shown_from: z.string().optional().openapi({
    description:
      'The oldest message that was shown: where unread ones come before it, nothing is noted. Without: all were.',
  }),
  ...selector,
});
export const receipts_query = z.strictObject({
  since_ms: z.coerce
    .number()
    .int()
    .min(0)
    .max(Number.MAX_SAFE_INTEGER)
    .default(0)
    .openapi({ description: 'Those of erasures that were begun then or later.' }),
  limit: limit(50, receipts_max),
  ...selector,
});
export const deletions_query = z.strictObject({ limit: limit(50), ...selector });
export const reaction_request = z.strictObject({ message: z.string(), emoji: z.string(), ...selector });
export const next_query = z.strictObject({ limit: limit(10) });
export const history_query = z.strictObject({ name: z.string().optional(), limit: limit(50) });
export const query_request = z.strictObject({ params: texts, ...selector });
export const command_request = z.strictObject({ input: texts, ...selector });
export const trace_query = z.strictObject({
  limit: limit(50),
  since: z.coerce.number().int().min(0).default(0).openapi({ description: 'Entries after this one.' }),
});
