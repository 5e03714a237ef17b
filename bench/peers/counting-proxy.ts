/** Stands between two peers on 127.0.0.1, passes on every byte at once, and counts them both ways. */
import { connect, createServer, type Socket } from 'node:net';
import { listenOn } from './listen.ts';

export interface CountingProxy {
  readonly port: number;
  /** Bytes of both directions since the start: payload of TCP, without the headers of TCP and IP. */
  bytes(): number;
  /** Waits until no byte has passed for `quiet_ms`, at most `most_ms`. */
  quiet(quiet_ms: number, most_ms: number): Promise<void>;
  close(): void;
}

export async function openCountingProxy(target_port: number): Promise<CountingProxy> {
  let bytes = 0;
  let last_ms = performance.now();
  const sockets = new Set<Socket>();
  const passOn = (from: Socket, to: Socket) => {
    sockets.add(from);
    from.setNoDelay(true);
    from.on('data', (chunk) => {
      bytes += chunk.length;
      last_ms = performance.now();
      if (!to.write(chunk)) from.pause();
    });
    to.on('drain', () => from.resume());
    from.on('end', () => to.end());
    // A peer that breaks its connection breaks the other half, too; that is no failure of the proxy.
    from.on('error', () => to.destroy());
    from.on('close', () => sockets.delete(from));
  };
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ port: target_port, host: '127.0.0.1', allowHalfOpen: true });
    passOn(near, far);
    passOn(far, near);
  });
  const port = await listenOn(server);
  return {
    port,
    bytes: () => bytes,
    async quiet(quiet_ms, most_ms) {
      const until_ms = performance.now() + most_ms;
      while (performance.now() < until_ms && performance.now() - last_ms < quiet_ms)
        await new Promise((resolve) => setTimeout(resolve, quiet_ms / 10));
    },
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
