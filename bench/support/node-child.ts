/**
 * A node in a process of its own, as `sotto start` runs it (the host of hosts/node, with its API, its jobs and its sockets), that can also be told
 * what to do over the channel to the process that forked it. `nodes.ts` is the other end.
 */
import { pino } from 'pino';
import { placeOf } from '../../core/assert.ts';
import { SottoNode } from '../../hosts/node/node.ts';
import { websocketTransport } from '../../transport/websocket.ts';
import { nowMs } from './clock.ts';
import { type Calls, callsOf } from './node-calls.ts';
import { Openings } from './openings.ts';
import { type Routes, routedTransport } from './routed-transport.ts';

export interface ChildOptions {
  readonly data_dir: string;
  readonly listen: string;
  readonly routes: Routes;
}
export interface Call {
  readonly number: number;
  readonly name: keyof Calls | 'stop';
  readonly args: readonly unknown[];
}
export type Answer =
  | { readonly number: number; readonly result: unknown }
  | { readonly number: number; readonly error: string };

const options = JSON.parse(process.argv[2] ?? '') as ChildOptions;
let routes = options.routes;
const openings = new Openings();

/** The log tells when a session opens; nothing else of it is kept. */
const log = pino(
  { level: 'info', base: null },
  {
    write: (line: string) => {
      if (line.includes('"session_opened"')) openings.add(nowMs());
    },
  },
);

const node = await SottoNode.start({
  data_dir: options.data_dir,
  listen: options.listen,
  api: '127.0.0.1:0',
  transport: routedTransport(websocketTransport(), () => routes),
  log,
});
const calls = callsOf({
  facade: node.facade,
  route: (given) => {
    routes = given;
  },
  openedAfter: (since_ms) => openings.after(since_ms),
});

async function answer({ number, name, args }: Call): Promise<void> {
  let said: Answer;
  try {
    const result =
      name === 'stop'
        ? await node.stop()
        : await (calls[name] as (...args: readonly unknown[]) => unknown)(...args);
    said = { number, result };
  } catch (thrown) {
    const { error_class, error_place } = placeOf(thrown);
    const words = thrown instanceof Error ? thrown.message : '';
    said = { number, error: `${error_class} at ${error_place}: ${words}` };
  }
  process.send?.(said, () => {
    if (name === 'stop') process.exit(0);
  });
}

process.on('message', (call: Call) => void answer(call));
process.on('disconnect', () => process.exit(0));
process.send?.({ number: 0, result: { listen: node.listen_address } } satisfies Answer);
