/**
 * The transport over WebSockets, the one protocol that passes every proxy and browser. Knows nothing of who connects;
 * messages are ciphertext, so nothing is compressed. Small messages leave at once: `ws` sets TCP_NODELAY on each socket.
 */

import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { SottoError } from '../core/assert.ts';
import type { Listener, Transport } from '../core/transport.ts';
import { formatAddress, parseAddress } from './address.ts';
import { Door, type Standing, standings } from './door.ts';
import { transport_limits } from './limits.ts';
import { WebSocketConnection, type WebSocketLimits } from './websocket-connection.ts';

const upgrade_required = 426;

/**
 * @param options `message_bytes_max`: larger messages end the connection; `connections_max`, `ping_interval_ms`: see
 *   limits.ts
 */
export function websocketTransport(
  options: Partial<WebSocketLimits & { connections_max: number }> = {},
): Transport {
  const limits: WebSocketLimits = {
    message_bytes_max: options.message_bytes_max ?? transport_limits.message_bytes_max,
    ping_interval_ms: options.ping_interval_ms ?? transport_limits.ping_interval_ms,
  };
  const ws_options = { maxPayload: limits.message_bytes_max, perMessageDeflate: false };

  return {
    async listen(address, on_connection): Promise<Listener> {
      const { host, port } = parseAddress(address);
      const patience = {
        headersTimeout: transport_limits.arriving_ms,
        requestTimeout: transport_limits.arriving_ms,
        connectionsCheckingInterval: transport_limits.arriving_check_ms,
      };
      const server = createServer(patience, (_request, response) =>
        response.writeHead(upgrade_required, { connection: 'close' }).end(),
      );
      // Not `server.maxConnections`: that turns away who comes, and spares who holds the places.
      const door = new Door(options.connections_max ?? transport_limits.connections_max);
      server.on('connection', (socket) => door.enter(socket));
      const websockets = new WebSocketServer({ ...ws_options, server });
      const connections = new Set<WebSocketConnection>();
      websockets.on('connection', (websocket, { socket }) => {
        const becomes = (standing: Standing) => door.becomes(socket, standing);
        becomes(standings.unproven);
        const connection = new WebSocketConnection(websocket, socket, limits, becomes);
        connections.add(connection);
        websocket.once('close', () => connections.delete(connection));
        on_connection(connection);
      });

      await new Promise<void>((resolve, reject) => {
        // Stays for good: once listening, it only tells of connections that could not be accepted (too many open files).
        websockets.on('error', (error: NodeJS.ErrnoException) =>
          reject(
            new SottoError('listen_failed', `Expected a free address, but ${address} gave ${error.code}`),
          ),
        );
        // A full backlog costs whoever connects then a second, until TCP tries again.
        server.listen({ port, host, backlog: transport_limits.connections_max }, resolve);
      });

      return {
        address: formatAddress({ host, port: (server.address() as AddressInfo).port }),
        async close() {
          const closed = new Promise((resolve) => server.close(resolve));
          for (const connection of connections) connection.close('listener_closed');
          server.closeAllConnections(); // those that never became WebSockets
          await closed;
        },
      };
    },

    async dial(address, { timeout_ms }) {
      const { host, port } = parseAddress(address);
      const websocket = new WebSocket(`ws://${formatAddress({ host, port })}/`, ws_options);
      return new Promise((resolve, reject) => {
        const fail = (came: string) => {
          clearTimeout(timer);
          websocket.removeAllListeners();
          websocket.on('error', () => {}); // terminating an unopened WebSocket reports itself as an error
          websocket.terminate();
          reject(new SottoError('dial_failed', `Expected an answer from ${address}, but got ${came}`));
        };
        const timer = setTimeout(() => fail(`none in ${timeout_ms} ms`), timeout_ms);
        let socket: Socket;
        websocket.once('upgrade', (response) => {
          socket = response.socket;
        });
        websocket.once('error', (error: NodeJS.ErrnoException) =>
          fail(error.code ?? 'something else than a WebSocket'),
        );
        websocket.once('open', () => {
          clearTimeout(timer);
          websocket.removeAllListeners();
          resolve(new WebSocketConnection(websocket, socket, limits));
        });
      });
    },
  };
}
