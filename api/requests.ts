/**
 * The shapes of what the API is asked. Closed: an unknown field is refused, so that a misspelt `tll_ms` never means "for ever".
 */

import { z } from '@hono/zod-openapi';

/** Rows one request may ask for: a page, not the database. */
export const rows_max = 1_000;

/** How long one `join` may hold its request open; the join itself goes on after that. */
export const join_timeout_ms_max = 10 * 60_000;

const day_ms = 86_400_000;

const selector = {
  network: z.string().optional().openapi({ description: "A network's id, short id, or name." }),
  as: z.string().optional().openapi({ description: "A user's name." }),
};

const limit = (rows: number) => z.coerce.number().int().min(1).max(rows_max).default(rows);
const ttl_ms = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const texts = z.record(z.string(), z.string()).default({});

export const nothing = z.strictObject({});
export const selection = z.strictObject(selector);
export const job_path = z.strictObject({ name: z.string() });
export const message_path = z.strictObject({ message: z.string() });
export const name_path = z.strictObject({ name: z.string() });

export const network_request = z.strictObject({ name: z.string(), as: z.string() });
export const invite_request = z.strictObject({
  uses: z.number().int().min(1).default(1),
  ttl_ms: ttl_ms.default(7 * day_ms),
  ...selector,
});
export const join_request = z.strictObject({
  link: z.string(),
  as: z.string(),
  timeout_ms: z.number().int().min(0).max(join_timeout_ms_max).default(30_000),
});
export const channel_request = z.strictObject({ name: z.string(), ...selector });
export const send_request = z.strictObject({
  channel: z.string().openapi({ description: "A channel's name, id, or short id." }),
  text: z.string(),
  ttl_ms: ttl_ms.default(0).openapi({ description: '0: for ever.' }),
  ...selector,
});
export const read_query = z.strictObject({ channel: z.string(), limit: limit(50), ...selector });
export const reaction_request = z.strictObject({ message: z.string(), emoji: z.string(), ...selector });
export const next_query = z.strictObject({ limit: limit(10) });
export const history_query = z.strictObject({ name: z.string().optional(), limit: limit(50) });
export const query_request = z.strictObject({ params: texts, ...selector });
export const command_request = z.strictObject({ input: texts, ...selector });
export const trace_query = z.strictObject({
  limit: limit(50),
  since: z.coerce.number().int().min(0).default(0).openapi({ description: 'Entries after this one.' }),
});
