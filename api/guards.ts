/**
 * Who may talk to the API at all: checked before routing, before the body is read, and before anything is said about the node.
 *
 * Any web page open on this machine can send requests to 127.0.0.1. It cannot read the token file; a page that rebinds its own
 * name to 127.0.0.1 still sends its own name as Host, and a page elsewhere sends its Origin. So each of the three is refused alone.
 */

import type { MiddlewareHandler } from 'hono';
import { refuse } from './errors.ts';

/** A command's input is text and ids; nothing honest comes near this. */
export const body_bytes_max = 1_048_576;

const methods: ReadonlySet<string> = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']);

/** Compares without telling by its duration how much was right. */
function sameSecret(given: string, expected: string): boolean {
  let difference = given.length ^ expected.length;
  for (let at = 0; at < expected.length; at += 1) {
    difference |= expected.charCodeAt(at) ^ (given.charCodeAt(at) | 0);
  }
  return difference === 0;
}

/** Refuses a Host header that is none of ours. This is what stops DNS rebinding. */
export function guardHost(allowed: () => readonly string[]): MiddlewareHandler {
  return async (c, next) => {
    const host = c.req.header('host')?.toLowerCase();
    if (host === undefined || !allowed().includes(host)) {
      return refuse(c, 'foreign_host', `Expected a Host header of ${list(allowed())}, got ${shown(host)}.`);
    }
    return next();
  };
}

/** Refuses requests that a web page from elsewhere makes a browser send. Programs send no Origin. */
export function guardOrigin(allowed: () => readonly string[]): MiddlewareHandler {
  return async (c, next) => {
    const origin = c.req.header('origin')?.toLowerCase();
    if (origin !== undefined && !allowed().some((host) => origin === `http://${host}`)) {
      return refuse(
        c,
        'foreign_origin',
        `Expected no Origin header, or one of this node's own address, got ${shown(origin)}. Pages from elsewhere may not use this API.`,
      );
    }
    return next();
  };
}

/** Refuses whoever cannot read the token file. */
export function guardToken(token: string): MiddlewareHandler {
  return async (c, next) => {
    const given = c.req.header('authorization');
    if (given === undefined) {
      return refuse(
        c,
        'token_missing',
        "Expected the header `Authorization: Bearer TOKEN`. TOKEN is the content of api.token in the node's data directory.",
      );
    }
    if (!sameSecret(given, `Bearer ${token}`)) {
      return refuse(
        c,
        'token_wrong',
        "This is not the node's token. Read api.token in its data directory again.",
      );
    }
    return next();
  };
}

/** Refuses methods that no route has. HEAD among them: it would open a stream that nobody reads. */
export const guardMethod: MiddlewareHandler = async (c, next) =>
  methods.has(c.req.method)
    ? next()
    : refuse(
        c,
        'method_not_allowed',
        `Expected ${list([...methods])}, got ${c.req.method}. See /v1/openapi.json.`,
      );

/**
 * Refuses a body over the limit, having read no more of it than that, and keeps one within it for the route.
 *
 * Not hono's own body limit: that copies the server's Request, which fails unless the server has replaced the global class.
 */
export const guardBody: MiddlewareHandler = async (c, next) => {
  const tooLarge = () =>
    refuse(
      c,
      'body_too_large',
      `Expected a body of at most ${body_bytes_max} bytes, got more. Send less at a time.`,
    );
  if (Number(c.req.header('content-length') ?? 0) > body_bytes_max) return tooLarge();
  const stream = c.req.raw.body;
  if (stream === null) return next();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (bytes > body_bytes_max) return tooLarge();
    chunks.push(chunk);
  }
  const headers = [...c.req.raw.headers] as [string, string][];
  c.req.raw = new Request(c.req.url, { method: c.req.method, headers, body: new Blob(chunks) });
  return next();
};

function list(items: readonly string[]): string {
  return items.join(' or ');
}

/** A header's value as far as it helps; the rest of a long one helps nobody. */
function shown(value: string | undefined): string {
  return value === undefined ? 'none' : JSON.stringify(value.slice(0, 100));
}
