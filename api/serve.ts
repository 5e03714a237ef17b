/**
 * Puts the API on a port of this machine, under Node. Loopback only: the token is a key to everything, and plain HTTP would carry it.
 */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { SottoError } from '../core/assert.ts';

/** Clients on one machine at a time: terminals and apps, not the internet. */
const connections_max = 256;

/** How long `close` lets requests finish that are under way. Event streams never finish by themselves. */
const close_grace_ms = 250;

/** The addresses we accept, and what is bound for each. `localhost` is not looked up: a hosts file may point it anywhere. */
const loopback: ReadonlyMap<string, string> = new Map([
  ['127.0.0.1', '127.0.0.1'],
  ['localhost', '127.0.0.1'],
  ['::1', '::1'],
  ['[::1]', '::1'],
]);

/** What `createApi` returns, as far as it matters here. */
export interface Fetching {
  fetch(request: Request): Response | Promise<Response>;
}

export interface ServedApi {
  /** `host:port` as bound; the port that port 0 became. */
  readonly address: string;
  /** Ends within a second, open event streams included. */
  close(): Promise<void>;
}

/**
 * Serves `app` on `address`, `host:port`; port 0 picks a free one.
 *
 * @throws SottoError `bad_api_address`, `api_not_loopback`, `api_listen_failed`
 */
export async function serveApi(app: Fetching, address: string): Promise<ServedApi> {
  const { host, port } = parseAddress(address);
  // The listener would otherwise replace the Request and Response of the app that embeds us.
  const listener = getRequestListener((request) => app.fetch(request), {
    overrideGlobalObjects: false,
    errorHandler: answerUnreadable,
  });
  const server = createServer(listener);
  server.maxConnections = connections_max;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(address, error)));
    server.listen(port, host, resolve);
  });
  const bound = server.address() as AddressInfo;
  return {
    address: formatAddress(host, bound.port),
    close: () =>
      new Promise((resolve) => {
        const grace = setTimeout(() => server.closeAllConnections(), close_grace_ms);
        server.close(() => {
          clearTimeout(grace);
          resolve();
        });
      }),
  };
}

/** Every way a client on this machine may name the port of `address`: what `createApi` wants as `allowed_hosts`. */
export function allowedHosts(address: string): readonly string[] {
  const { port } = parseAddress(address);
  return [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`];
}

function parseAddress(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(':');
  const port = address.slice(colon + 1);
  if (colon < 1 || !/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    throw new SottoError(
      'bad_api_address',
      `Expected HOST:PORT with a port from 0 to 65535, got ${JSON.stringify(address)}. Write 127.0.0.1:4821, or 127.0.0.1:0 for a free port.`,
    );
  }
  const host = loopback.get(address.slice(0, colon).toLowerCase());
  if (host === undefined) {
    throw new SottoError(
      'api_not_loopback',
      `Expected the API on 127.0.0.1, [::1] or localhost, got ${JSON.stringify(address)}. It gives full control of the node; reach it from elsewhere through an SSH tunnel.`,
    );
  }
  return { host, port: Number(port) };
}

function formatAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function listenError(address: string, error: NodeJS.ErrnoException): SottoError {
  const reason = error.code === 'EADDRINUSE' ? 'something else listens there' : (error.code ?? 'unknown');
  return new SottoError(
    'api_listen_failed',
    `The API cannot listen on ${address}: ${reason}. Choose another with --api, such as 127.0.0.1:0.`,
    { cause: error },
  );
}

/** A request so malformed that it never reached a route, such as one with a Host header that is no host. */
function answerUnreadable(): Response {
  const error = {
    code: 'malformed_request',
    message: 'Expected an HTTP request with a valid path and Host header. Check the address.',
  };
  return Response.json({ error }, { status: 400 });
}
