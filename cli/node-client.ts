/**
 * Talks to the running node: finds it by the files it leaves in its data directory, and asks its HTTP API.
 *
 * Over `node:http` and not `fetch`, which gives up on its own after five minutes and takes longer to load than most commands take.
 */

import { readFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { type CliFailure, refused, unreachable } from './failure.ts';

/** An answer larger than this is not one of ours. */
const answer_bytes_max = 256 * 1024 * 1024;

export interface NodeClient {
  get<Answer>(path: string, query?: Query): Promise<Answer>;
  post<Answer>(path: string, body?: object): Promise<Answer>;
  put<Answer>(path: string, body: object): Promise<Answer>;
  patch<Answer>(path: string, body: object): Promise<Answer>;
  delete<Answer>(path: string, query?: Query): Promise<Answer>;
  /** Resolves once the node has begun to tell; the events then come until it ends. */
  follow(path: string): Promise<AsyncGenerator<FollowedEvent>>;
}

type Query = Readonly<Record<string, string | number | undefined>>;

export interface FollowedEvent {
  readonly event: string;
  readonly data: unknown;
}

/** The node that runs on `data_dir`. Throws `node_not_running` where there is none. */
export function findNode(data_dir: string): NodeClient {
  const { api, token } = readNodeFiles(data_dir);

  async function ask(method: string, path: string, query: Query, body?: object): Promise<IncomingMessage> {
    const incoming = await send(`http://${api}${path}${queryText(query)}`, method, token, body).catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'ECONNREFUSED') throw notRunning(data_dir);
        throw unreachable(
          'node_unreachable',
          `The node at ${api} does not answer (${error.code ?? error.name}). Is it still running? See its log.`,
        );
      },
    );
    if (incoming.statusCode === 200) return incoming;
    throw refusalIn(await readJson(incoming));
  }

  return {
    get: async (path, query = {}) => (await readJson(await ask('GET', path, query))) as never,
    post: async (path, body = {}) => (await readJson(await ask('POST', path, {}, body))) as never,
    put: async (path, body) => (await readJson(await ask('PUT', path, {}, body))) as never,
    patch: async (path, body) => (await readJson(await ask('PATCH', path, {}, body))) as never,
    delete: async (path, query = {}) => (await readJson(await ask('DELETE', path, query))) as never,
    follow: async (path) => readEvents(await ask('GET', path, {})),
  };
}

function readNodeFiles(data_dir: string): { api: string; token: string } {
  const node_text = readText(join(data_dir, 'node.json'));
  if (node_text === undefined) throw notRunning(data_dir);
  const node = parse(node_text) as { pid?: unknown; api?: unknown } | undefined;
  if (node?.api === null) {
    throw unreachable(
      'node_not_running',
      `A node is only just starting on ${data_dir}. Try again in a moment.`,
    );
  }
  if (typeof node?.api !== 'string' || typeof node.pid !== 'number') {
    throw unreachable(
      'bad_node_file',
      `Expected {"pid", "api"} in ${join(data_dir, 'node.json')}, got something else. Start the node again: sotto start --data ${data_dir}`,
    );
  }
  // After a crash the file is stale and its port may be anybody's: the token is for our node only.
  if (!isAlive(node.pid)) throw notRunning(data_dir);
  const token = readText(join(data_dir, 'api.token'))?.trim();
  if (token === undefined) {
    throw unreachable(
      'token_missing',
      `A node runs on ${data_dir}, and its api.token is not there. Start it again: sotto start --data ${data_dir}`,
    );
  }
  return { api: node.api, token };
}

/** undefined where there is no such file. */
function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw unreachable(
      'file_unreadable',
      `Cannot read ${path} (${code}). Only the user who started the node may talk to it.`,
    );
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is alive and somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function notRunning(data_dir: string): CliFailure {
  return unreachable(
    'node_not_running',
    `No node is running on ${data_dir}. Start one: sotto start --data ${data_dir}`,
  );
}

function send(
  url: string,
  method: string,
  token: string,
  body: object | undefined,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const text = body && JSON.stringify(body);
    const headers = {
      authorization: `Bearer ${token}`,
      ...(text !== undefined && {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(text),
      }),
    };
    const outgoing = request(url, { method, headers, agent: false }, resolve);
    outgoing.on('error', reject);
    outgoing.end(text);
  });
}

function queryText(query: Query): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  const text = new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString();
  return text === '' ? '' : `?${text}`;
}

async function readJson(incoming: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > answer_bytes_max) throw badAnswer();
    chunks.push(chunk);
  }
  const answer = parse(Buffer.concat(chunks).toString('utf8'));
  if (answer === undefined) throw badAnswer();
  return answer;
}

function refusalIn(answer: unknown): CliFailure {
  const error = (answer as { error?: { code?: unknown; message?: unknown } } | null)?.error;
  if (typeof error?.code !== 'string' || typeof error.message !== 'string') return badAnswer();
  return refused(error.code, error.message);
}

function badAnswer(): CliFailure {
  return unreachable('bad_answer', 'What answered is not a Sotto node. Start the node again.');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Server-sent events, as `api/events.ts` writes them. */
async function* readEvents(incoming: IncomingMessage): AsyncGenerator<FollowedEvent> {
  incoming.setEncoding('utf8');
  let text = '';
  try {
    for await (const chunk of incoming as AsyncIterable<string>) {
      const blocks = (text + chunk).split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const fields = new Map(block.split('\n').map(splitField));
        const event = fields.get('event');
        if (event !== undefined) yield { event, data: parse(fields.get('data') ?? '') };
      }
    }
  } catch {
    // Cut off: the node went without a goodbye. The same to us as an end.
  }
}

function splitField(line: string): [string, string] {
  const at = line.indexOf(': ');
  return [line.slice(0, at), line.slice(at + 2)];
}
