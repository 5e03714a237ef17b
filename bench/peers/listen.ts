/** Listens on 127.0.0.1 at a port that the system chooses, and tells which. */
import type { Server } from 'node:net';

export async function listenOn(server: Server): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve());
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('expected the server to have a port');
  return address.port;
}
