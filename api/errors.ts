/**
 * How a failure becomes an answer: always `{ "error": { "code", "message" } }`, with a status that follows from the code.
 *
 * A foreign exception is reduced to class and place: its own message may quote content.
 */

import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { type ErrorPlace, placeOf, SottoError } from '../core/assert.ts';

/** Codes whose status does not follow from their first word. */
const status_of_code: ReadonlyMap<string, ContentfulStatusCode> = new Map([
  ['not_found', 404],
  ['ambiguous', 409],
  ['token_missing', 401],
  ['token_wrong', 401],
  ['foreign_host', 403],
  ['foreign_origin', 403],
  ['method_not_allowed', 405],
  ['unsupported_media_type', 415],
  ['join_timeout', 504],
  ['body_too_large', 413],
  ['too_many_subscribers', 503],
  // Bugs of ours and exceptions of an app's own functions: nothing the caller could have asked differently.
  ['assertion_failed', 500],
  ['threw', 500],
]);

/** The HTTP status for a `SottoError`'s code. What the node understood but refuses is 409: its state is in the way, not the request's form. */
export function statusOf(code: string): ContentfulStatusCode {
  const known = status_of_code.get(code);
  if (known !== undefined) return known;
  if (/^(bad|malformed)_/.test(code)) return 400;
  if (code.startsWith('unknown_')) return 404;
  return 409;
}

/** An answer that says no. */
export function refuse(c: Context, code: string, message: string): Response {
  return c.json({ error: { code, message } }, statusOf(code));
}

/**
 * Answers for anything thrown on the way to an answer.
 *
 * @param onInternalError told class and place of what was not a `SottoError`, so that a host can count and log it
 */
export function answerError(
  c: Context,
  thrown: unknown,
  onInternalError: (place: ErrorPlace) => void,
): Response {
  if (thrown instanceof SottoError) return refuse(c, thrown.code, thrown.message);
  if (thrown instanceof HTTPException) {
    if (thrown.status === 415) {
      const came = c.req.header('content-type') ?? 'none';
      return refuse(
        c,
        'unsupported_media_type',
        `Expected the content type application/json, got ${came}. Send the body as JSON.`,
      );
    }
    if (thrown.status === 400) {
      return refuse(
        c,
        'malformed_json',
        'Expected a JSON document as body, got something that is not JSON. Check its syntax.',
      );
    }
  }
  const place = placeOf(thrown);
  onInternalError(place);
  const message = `The node failed on this request: ${place.error_class} at ${place.error_place}. This is a bug; please report it with this line.`;
  return c.json({ error: { code: 'internal_error', message } }, 500);
}
