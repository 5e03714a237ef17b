import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { CLI, NodeProcess, until } from './process.ts';
import { temporaryFolder } from './support.ts';

const nodes: NodeProcess[] = [];
afterEach(async () => {
  await Promise.all(nodes.splice(0).map((node) => node.end('SIGKILL')));
});

async function started(options: { args?: readonly string[] } = {}): Promise<NodeProcess> {
  const node = new NodeProcess('127.0.0.1:0', options);
  nodes.push(node);
  await node.start();
  return node;
}

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function sotto(node: NodeProcess, ...words: string[]): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(process.execPath, [CLI, ...words, '--data', node.data], (error, stdout, stderr) => {
      resolve({
        code: typeof error?.code === 'number' ? error.code : error === null ? 0 : 1,
        stdout,
        stderr,
      });
    });
  });
}

async function json<T>(node: NodeProcess, ...words: string[]): Promise<T> {
  const { stdout } = await sotto(node, ...words, '--json');
  return JSON.parse(stdout) as T;
}

/** The jobs of the schedule, as its file has them. */
const jobs_yaml = readFileSync(
  fileURLToPath(new URL('../protocols/quiet/jobs.yaml', import.meta.url)),
  'utf8',
);
const scheduled = [...jobs_yaml.matchAll(/^ {2}- name: (\w+)$/gm)].map(([, name]) => ({ name }));

describe('two people chat by the command line alone', () => {
  it('found, invite, join, send, read, react, delete; and look into the node', async () => {
    const [alice, bob] = [await started(), await started()];
    const status = await json<{ networks: unknown[] }>(alice, 'status');
    expect(status.networks).toEqual([]);
    expect(await json(alice, 'send', 'general', 'too early')).toMatchObject({ error: { code: 'not_found' } });

    const network = await json<{ network_id: string }>(alice, 'network', 'create', 'Home', '--as', 'alice');
    const { link } = await json<{ link: string }>(
      alice,
      'invite',
      'create',
      '--uses',
      '1',
      '--expires',
      '1h',
    );
    expect(await json(bob, 'join', link, '--as', 'bob')).toMatchObject({ network_id: network.network_id });

    // Names are content: they come with the first sync after somebody was let in.
    await until('alice knows bob by name', async () =>
      (await json<{ name: string | null }[]>(alice, 'members')).some(({ name }) => name === 'bob'),
    );

    const sent = await json<{ message_id: string; expires_ms: number | null }>(
      alice,
      'send',
      'general',
      'a private word',
    );
    expect(sent.expires_ms).toBeNull();
    const brief = await json<{ created_ms: number; expires_ms: number }>(
      alice,
      'send',
      'general',
      'gone soon',
      '--ttl',
      '3s',
    );
    expect(brief.expires_ms - brief.created_ms).toBe(3_000);
    type Shown = { message_id: string; text: string; author: string; reactions: unknown[] }[];
    const at_bob = () => json<Shown>(bob, 'read', 'general');
    await until('bob reads', async () =>
      (await at_bob()).some((message) => message.text === 'a private word'),
    );
    await until('the brief one expires', async () =>
      (await at_bob()).every((message) => message.text !== 'gone soon'),
    );

    const short = sent.message_id.slice(12, 20);
    await json(bob, 'react', short, '👍');
    await until('alice sees the reaction', async () => {
      const [shown] = await json<Shown>(alice, 'read', 'general');
      return JSON.stringify(shown?.reactions) === JSON.stringify([{ emoji: '👍', count: 1 }]);
    });
    expect(await json(alice, 'query', 'get_notifications', '-p', 'limit=10')).toMatchObject([
      { type: 'reaction', about_id: sent.message_id },
    ]);

    const refused = await sotto(bob, 'delete', short, '--json');
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.stdout)).toMatchObject({ error: { code: 'author_may_delete' } });
    await json(alice, 'delete', short);
    await until('it is gone at bob', async () => (await at_bob()).length === 0);
    expect(await json(alice, 'query', 'get_notifications', '-p', 'limit=10')).toEqual([]);

    expect(await json(alice, 'peers')).toHaveLength(2);
    expect(await json(bob, 'jobs', 'list')).toMatchObject([
      { name: 'sync_request', function: 'sync_job' },
      ...scheduled.slice(1),
    ]);
    expect(scheduled.length).toBeGreaterThan(6);
    expect(await json(bob, 'reflectors', 'list')).toContainEqual(
      expect.objectContaining({ name: 'reflect_message_reaction', on: 'reaction' }),
    );
    const trace = await json<{ handler: string; outcome: string }[]>(alice, 'trace', '--limit', '500');
    expect(trace).toContainEqual(expect.objectContaining({ handler: 'reflect', outcome: 'advance' }));

    // S11 as far as it goes today: no text in what a node prints, traces or logs.
    const shown = [
      alice.output,
      bob.output,
      JSON.stringify(trace),
      JSON.stringify(await json(alice, 'jobs', 'history')),
    ].join();
    for (const text of ['a private word', 'gone soon', 'alice', '👍']) expect(shown).not.toContain(text);

    // The invite was good for one.
    const eve = await started();
    expect(await json(eve, 'join', link, '--as', 'eve', '--timeout', '3s')).toMatchObject({
      error: { code: 'join_timeout' },
    });
    expect(await json(eve, 'channel', 'list')).toEqual([]);
  }, 120_000);

  it('groups, direct messages, a second device, rights, removal; and erasing what is left', async () => {
    const [alice, bob, phone] = [await started(), await started(), await started()];
    await json(alice, 'network', 'create', 'Home', '--as', 'alice');
    const { link } = await json<{ link: string }>(alice, 'invite', 'create');
    expect(await json(bob, 'join', link)).toMatchObject({ error: { code: 'bad_input' } });
    const joined = await json<{ user_id: string; device_id: string }>(bob, 'join', link, '--as', 'bob');
    const device_link = await json<{ link: string }>(bob, 'device', 'link');
    const linked = await json<{ user_id: string; device_id: string }>(phone, 'join', device_link.link);
    expect(linked.user_id).toBe(joined.user_id);
    await until('alice knows both devices of bob', async () =>
      (await json<{ name: string; devices: number }[]>(alice, 'members')).some(
        ({ name, devices }) => name === 'bob' && devices === 2,
      ),
    );

    const group = await json<{ group_id: string }>(alice, 'group', 'create', 'team', '--with', 'bob');
    await json(alice, 'send', 'team', 'for the team');
    await json(alice, 'dm', 'bob', 'for you');
    type Shown = { message_id: string; text: string; author: string; edited_ms: number | null }[];
    const read = async (node: NodeProcess, channel: string): Promise<Shown> => {
      const answer = await json<Shown | { error: unknown }>(node, 'read', channel, '--keep-unread');
      return Array.isArray(answer) ? answer : [];
    };
    const shows = (node: NodeProcess, channel: string, text: string) =>
      until(`${channel} shows it`, async () => (await read(node, channel)).some((one) => one.text === text));
    await shows(bob, 'team', 'for the team');
    await shows(phone, '@alice', 'for you');
    expect((await sotto(bob, 'channel', 'list')).stdout).toMatch(/@alice +direct +1 .*/);
    expect((await sotto(bob, 'unread')).stdout).toMatch(/team +team +1/);
    await json(bob, 'read', 'team');
    expect((await sotto(bob, 'unread')).stdout).not.toMatch(/team +team/);
    expect(await json(bob, 'group', 'list')).toMatchObject([
      { kind: 'main', members: ['alice', 'bob'] },
      { group_id: group.group_id, name: 'team', members: ['alice', 'bob'] },
      { kind: 'direct', members: ['alice', 'bob'] },
    ]);

    const [message] = await read(alice, 'team');
    const short = message!.message_id.slice(12, 20);
    await json(alice, 'edit', short, 'for all of the team');
    await shows(bob, 'team', 'for all of the team');
    expect(await json(bob, 'versions', short)).toMatchObject([{ author: 'alice' }, { author: 'alice' }]);
    expect((await sotto(bob, 'why', short)).stdout).toMatch(
      /message by alice[^\n]*\nvalid: It counts here\./,
    );

    expect(await json(bob, 'invite', 'create')).toMatchObject({ error: { code: 'not_entitled' } });
    await json(alice, 'grant', 'invite', 'bob');
    await until('bob may invite', async () =>
      (await json<{ rights: string[] }[]>(bob, 'whoami'))[0]!.rights.includes('invite'),
    );
    await json(bob, 'invite', 'create');
    await json(bob, 'remove', 'device', linked.device_id.slice(0, 8));
    await json(bob, 'rename', 'robert');
    await until('alice sees both', async () => {
      const members = await json<{ name: string; devices: number }[]>(alice, 'members');
      return members.some(({ name, devices }) => name === 'robert' && devices === 1);
    });
    await json(alice, 'remove', 'user', 'robert');
    expect((await sotto(alice, 'members')).stdout).toMatch(/robert .*removed/);
    expect(await json(bob, 'network', 'delete', 'Home')).toMatchObject({ events: expect.any(Number) });
    expect(await json(bob, 'whoami')).toEqual([]);
    for (const node of [alice, bob, phone])
      for (const text of ['for the team', 'for you', 'robert']) expect(node.output).not.toContain(text);
  }, 120_000);

  it('pausing, previewing and running a job by hand', async () => {
    const node = await started();
    await json(node, 'network', 'create', 'Home', '--as', 'alice');
    await json(node, 'jobs', 'pause', 'sync_request');
    expect(await json(node, 'jobs', 'why', 'sync_request')).toContainEqual(
      expect.objectContaining({ reason: 'paused' }),
    );
    expect(await json(node, 'jobs', 'preview', 'sync_request')).toEqual([]);
    expect(await json(node, 'jobs', 'run', 'sync_request')).toMatchObject({ ran: 1, failed: 0 });
    await json(node, 'jobs', 'resume', 'sync_request');
    expect(await json(node, 'jobs', 'why', 'sync_request')).toMatchObject([{ reason: 'not_due' }]);
    const wrong = await sotto(node, 'jobs', 'why', 'sync_requests', '--json');
    expect(wrong.code).toBe(1);
  }, 60_000);
});

describe('the node', () => {
  it('keeps its data directory to itself, and ends within two seconds with nothing left running', async () => {
    const node = await started();
    expect(statSync(node.data).mode & 0o777).toBe(0o700);
    expect(statSync(join(node.data, 'api.token')).mode & 0o777).toBe(0o600);
    await json(node, 'network', 'create', 'Home', '--as', 'alice');
    await json(node, 'send', 'general', 'kept');
    expect(await node.end('SIGTERM')).toBeLessThan(2_000);
    expect(readdirSync(node.data).sort()).not.toContain('node.json');
    await node.start();
    expect(await json(node, 'read', 'general')).toMatchObject([{ text: 'kept' }]);
  }, 60_000);

  it('seals its keys with the passphrase in a file, and then starts by it alone', async () => {
    const file = join(temporaryFolder(), 'passphrase');
    writeFileSync(file, 'open sesame\n');
    const node = await started({ args: ['--passphrase-file', file] });
    await json(node, 'network', 'create', 'Home', '--as', 'alice');
    await json(node, 'send', 'general', 'kept');
    await node.end('SIGTERM');
    const without = new NodeProcess('127.0.0.1:0', { data: node.data });
    await expect(without.start()).rejects.toThrow(/passphrase_needed/);
    await node.start();
    expect(await json(node, 'read', 'general')).toMatchObject([{ text: 'kept' }]);
    expect(node.output).not.toContain('sesame');

    const new_file = join(temporaryFolder(), 'passphrase');
    writeFileSync(new_file, 'open barley\n');
    const change = ['passphrase', 'change', '--passphrase-file', file, '--new-passphrase-file', new_file];
    expect(await sotto(node, ...change)).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('Stop that one first'),
    });
    await node.end('SIGTERM');
    expect(await json(node, 'passphrase', 'remove')).toMatchObject({ error: { code: 'passphrase_needed' } });
    expect(await sotto(node, ...change)).toMatchObject({ code: 0, stderr: '' });
    await expect(node.start()).rejects.toThrow(/wrong_passphrase/);
    expect(await json(node, 'passphrase', 'remove', '--passphrase-file', new_file)).toEqual({
      sealed: false,
    });
    await without.start();
    nodes.push(without);
    expect(await json(without, 'read', 'general')).toMatchObject([{ text: 'kept' }]);
  }, 60_000);

  it('tells subscribers what changed, and strangers nothing', async () => {
    const node = await started();
    const url = (path: string) => `http://${node.api}/v1${path}`;
    const token = readFileSync(join(node.data, 'api.token'), 'utf8').trim();
    const headers = { authorization: `Bearer ${token}` };
    expect((await fetch(url('/status'))).status).toBe(401);
    expect(
      (await fetch(url('/status'), { headers: { ...headers, origin: 'https://evil.example' } })).status,
    ).toBe(403);
    const stream = await fetch(url('/changes'), { headers });
    const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader();
    await json(node, 'network', 'create', 'Home', '--as', 'alice');
    let heard = '';
    while (!heard.includes('"type":"channel"')) heard += (await reader.read()).value;
    expect(heard).not.toContain('Home');
    await reader.cancel();
  }, 60_000);

  it('does not start on a wrong jobs file, and says where and why', async () => {
    const file = join(temporaryFolder(), 'jobs.yaml');
    writeFileSync(file, 'jobs:\n  - name: sync\n    function: sync_jub\n    frequency_ms: 3000\n');
    await expect(started({ args: ['--jobs', file] })).rejects.toThrow(/jobs\.yaml:3:15.*sync_job/s);
  }, 60_000);

  it('takes a changed jobs file over while it runs, whole or not at all', async () => {
    const file = join(temporaryFolder(), 'jobs.yaml');
    const schedule = (frequency_ms: number, more = '') =>
      writeFileSync(
        file,
        `jobs:\n  - name: sync\n    function: sync_job\n    frequency_ms: ${frequency_ms}\n    params:\n      network_id: "\${NETWORK_ID}"\n${more}`,
      );
    schedule(60_000);
    const node = await started({ args: ['--jobs', file] });
    await json(node, 'network', 'create', 'Home', '--as', 'alice');
    const listed = async () =>
      (await json<{ name: string; schedule: string }[]>(node, 'jobs', 'list')).map(
        ({ name, schedule: every }) => `${name} ${every}`,
      );
    expect(await listed()).toEqual(['sync every 1 min']);
    schedule(5_000, '  - name: wrong\n    function: nothing\n    frequency_ms: 1\n');
    await until('the wrong file is refused', () => node.output.includes('jobs_file_not_taken_over'));
    expect(await listed()).toEqual(['sync every 1 min']);
    schedule(30_000);
    await until('the right file is taken over', async () => (await listed())[0] === 'sync every 30 s');
  }, 60_000);

  it('does not start on a protocol folder with a file that exports nothing recognisable', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'notes.ts'), 'export const nothing = 1;\n');
    await expect(started({ args: ['--protocol', folder] })).rejects.toThrow(/bad_protocol.*notes\.ts/s);
  }, 60_000);
});
