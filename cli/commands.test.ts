/** Every command once for people and once for programs, as a process, against a node whose answers are known. */

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ids } from '../api/facade.fake.ts';
import { SottoError } from '../core/assert.ts';
import { type RunningFake, run, startFake } from './run.testing.ts';

let fake: RunningFake;
beforeAll(async () => {
  fake = await startFake();
});
beforeEach(() => {
  fake.node.calls.length = 0;
});
afterAll(() => fake.stop());

const who = ['--network', 'acme', '--as', 'alice'];
const selector = { network: 'acme', as: 'alice' };
const day_ms = 86_400_000;

/** Arguments; the call that the node must see; what people must read (and so what `--json` need not repeat). */
const commands: [string[], [string, ...unknown[]], RegExp][] = [
  [
    ['status'],
    ['status'],
    /running +pid \d+, started 3 minutes ago[\s\S]*clock +suspect.*\nLAN +on at 192\.168\.1\.20; 2 devices found\n[\s\S]*acme[\s\S]*aaaa0001 +key_missing +1\n[\s\S]*bad_signature +3/,
  ],
  [
    ['network', 'create', 'acme', '--as', 'alice'],
    ['createNetwork', { name: 'acme', as: 'alice' }],
    /^Created network aaaa0001 as alice \(device d0d0d0d0\)\.$/,
  ],
  [['network', 'list'], ['status'], /^network +name +you.*\naaaa0001 +acme +alice +2 +42 +1 +1$/],
  [
    ['network', 'delete', 'acme', '--as', 'alice'],
    ['deleteNetwork', { network: 'acme', as: 'alice' }],
    /^Erased network acme \(aaaa0001\) from this node: 42 events, 7 secrets\. This is local only: the other members keep theirs\.$/,
  ],
  [['leave', '--force'], ['leave', { force: true }], /^Left network/],
  [
    ['leave', ...who],
    ['leave', { force: false, ...selector }],
    /^Left network aaaa0001\. .*: sotto network delete aaaa0001$/,
  ],
  [
    ['invite', 'create'],
    ['createInvite', { uses: 1, ttl_ms: 7 * day_ms }],
    /^sotto:invite#secret\n\nGood for one person, expires in 7 days\.$/,
  ],
  [
    ['invite', 'create', '--uses', '3', '--expires', '12h', ...who],
    ['createInvite', { uses: 3, ttl_ms: day_ms / 2, ...selector }],
    /Good for 3 people, expires in 12 hours/,
  ],
  [
    ['join', 'sotto:x', '--as', 'bob', '--timeout', '5s'],
    ['join', { link: 'sotto:x', as: 'bob', timeout_ms: 5_000 }],
    /^Joined network aaaa0001 as bob/,
  ],
  [
    ['join', 'sotto:x', '--timeout', '0'],
    ['join', { link: 'sotto:x', timeout_ms: 0 }],
    /^Joined network aaaa0001 as user bbbb0001 \(device d0d0d0d0\)\.$/,
  ],
  [['invite', 'list', ...who], ['invites', selector], /ffff0001 +person +alice +3 of 3 +in 3 days +used up$/],
  [
    ['invite', 'revoke', 'ffff0001', ...who],
    ['revokeInvite', { invite_ref: 'ffff0001', ...selector }],
    /^Revoked invite ffff0001: /,
  ],
  [
    ['device', 'link', ...who],
    ['linkDevice', { ttl_ms: 3_600_000, ...selector }],
    /^sotto:device#secret\n\nGood for one device of yours, expires in 1 hour\./,
  ],
  [['device', 'link', '--expires', '10m'], ['linkDevice', { ttl_ms: 600_000 }], /expires in 10 minutes\./],
  [['device', 'list', ...who], ['devices', selector], /^device.*\nd0d0d0d0 +alice +12 +this device$/],
  [
    ['remove', 'user', 'bob', ...who],
    ['removeUser', { user_ref: 'bob', ...selector }],
    /^Removed user bob \(bbbb0001\) with 2 devices from the network\. They get nothing new/,
  ],
  [
    ['remove', 'device', 'd0d0', ...who],
    ['removeDevice', { device_ref: 'd0d0', ...selector }],
    /^Removed device d0d0d0d0 from the network\. It gets nothing new/,
  ],
  [
    ['members', ...who],
    ['members', selector],
    /bbbb0001 +bob\\u001b\[2J +invite delete +2 +1 minute ago +member$/,
  ],
  [['members', '--group', 'my team'], ['members', { group_ref: 'my team' }], /bbbb0001/],
  [
    ['grant', 'invite', 'bob', ...who],
    ['grant', { right: 'invite', user_ref: 'bob', ...selector }],
    /^bob \(bbbb0001\) has the right invite now\.$/,
  ],
  [
    ['revoke', 'admin', 'bbbb', ...who],
    ['revoke', { right: 'admin', user_ref: 'bbbb', ...selector }],
    /^bbbb0001 does not have the right admin any more\.$/,
  ],
  [
    ['whoami', ...who],
    ['whoami', selector],
    /aaaa0001 +acme +alice +bbbb0001 +d0d0d0d0 +admin invite delete +member$/,
  ],
  [
    ['rename', 'al\u009bicia', ...who],
    ['renameMe', { name: 'al\u009bicia', ...selector }],
    /^You are called al\\u009bicia now\.$/,
  ],
  [
    ['rename', 'noise', '--channel', '#random'],
    ['renameChannel', { channel_ref: '#random', name: 'noise' }],
    /^Channel cccc0001 is called noise now\.$/,
  ],
  [
    ['group', 'create', 'team', '--with', 'bob', 'carol', ...who],
    ['createGroup', { name: 'team', user_refs: ['bob', 'carol'], ...selector }],
    /^Created group team \(abab0001\) with bob, carol; its channel is cccc0001\.$/,
  ],
  [
    ['group', 'create', 'notes'],
    ['createGroup', { name: 'notes', user_refs: [] }],
    /^Created group notes \(abab0001\) with you alone;/,
  ],
  [
    ['group', 'list', ...who],
    ['groups', selector],
    /aaaa0001 +everyone +- +1 .* alice, bob\nabab0001 +private +team +2 .* alice, bob\\u001b\[2J$/,
  ],
  [
    ['group', 'add', 'team', 'bob/../x', ...who],
    ['addToGroup', { group_ref: 'team', user_ref: 'bob/../x', ...selector }],
    /^Added bob\/\.\.\/x \(bbbb0001\) to group team \(abab0001\)\.$/,
  ],
  [
    ['group', 'remove', 'te/am', 'bob', ...who],
    ['removeFromGroup', { group_ref: 'te/am', user_ref: 'bob', ...selector }],
    /^Removed bob \(bbbb0001\) from group te\/am \(abab0001\)\. They get nothing new/,
  ],
  [
    ['peers', ...who],
    ['peers', selector],
    /d0d0d0d0 +bob +aaaa0001 +10\.0\.0\.2:4820 +connected 1 minute ago$/,
  ],
  [
    ['channel', 'create', 'random', ...who],
    ['createChannel', { name: 'random', ...selector }],
    /^Created channel random \(cccc0001\)\.$/,
  ],
  [
    ['channel', 'create', 'plans', '--group', 'team'],
    ['createChannel', { name: 'plans', group_ref: 'team' }],
    /^Created channel plans \(cccc0001\)\.$/,
  ],
  [
    ['channel', 'list'],
    ['channels', {}],
    /cccc0001 +general +everyone +1 +2 +for ever .*\ncccc0001 +plans +team +0 +0 +7 days /,
  ],
  [
    ['channel', 'delete', '#random', ...who],
    ['deleteChannel', { channel_ref: '#random', ...selector }],
    /^Deleted channel #random \(cccc0001\) with all its messages, for everybody\. .*: sotto audit$/,
  ],
  [
    ['group', 'delete', 'te/am', ...who],
    ['deleteGroup', { group_ref: 'te/am', ...selector }],
    /^Deleted group te\/am \(abab0001\) with its channels and messages, for everybody\. .*: sotto audit$/,
  ],
  [
    ['disappear', 'general', '36h', ...who],
    ['setRetention', { channel_ref: 'general', ttl_ms: 1.5 * day_ms, ...selector }],
    /^New messages of general \(cccc0001\) live 36 hours, unless sent with --ttl\./,
  ],
  [
    ['disappear', '@bob', 'never'],
    ['setRetention', { channel_ref: '@bob', ttl_ms: 0 }],
    /^New messages of @bob \(cccc0001\) stay for ever, unless sent with --ttl\./,
  ],
  [['unread', ...who], ['unread', selector], /^channel.*\ncccc0001 +general +- +1 +2 minutes ago$/],
  [
    ['send', 'general', 'Hi', '--ttl', '1h', ...who],
    ['send', { channel_ref: 'general', text: 'Hi', ttl_ms: 3_600_000, ...selector }],
    /^Sent dddd0001, gone in 1 hour\.$/,
  ],
  [
    ['send', 'general', '--', '-1 from me'],
    ['send', { channel_ref: 'general', text: '-1 from me', ttl_ms: null }],
    /^Sent dddd0001\.$/,
  ],
  [
    ['send', 'general', 'Hi', '--ttl', 'never'],
    ['send', { channel_ref: 'general', text: 'Hi', ttl_ms: 0 }],
    /^Sent dddd0001\.$/,
  ],
  [
    ['dm', 'bob', 'Hi', '--ttl', '1h', ...who],
    ['dm', { user_ref: 'bob', text: 'Hi', ttl_ms: 3_600_000, ...selector }],
    /^Sent dddd0001 to bob, gone in 1 hour\.$/,
  ],
  [['dm', 'bob', 'Hi'], ['dm', { user_ref: 'bob', text: 'Hi', ttl_ms: null }], /^Sent dddd0001 to bob\.$/],
  [
    ['dm', 'bob', 'Hi', '--ttl', '0'],
    ['dm', { user_ref: 'bob', text: 'Hi', ttl_ms: 0 }],
    /^Sent dddd0001 to bob\.$/,
  ],
  [
    ['read', 'general', '--limit', '3', '--keep-unread'],
    ['read', { channel_ref: 'general', limit: 3 }],
    /^dddd0001 {2}3 minutes ago {2}alice {2}Hello\\u001b\[2J\n {32}Bob {2}\(edited\) {2}👍 2$/,
  ],
  [['read', '@bob', '--keep-unread'], ['read', { channel_ref: '@bob', limit: 50 }], /Hello/],
  [
    ['edit', 'dddd0001', ...who, '--', '-1 from me'],
    ['edit', { message_ref: 'dddd0001', text: '-1 from me', ...selector }],
    /^Edited dddd0001\.$/,
  ],
  [
    ['versions', 'dddd0001', ...who],
    ['versions', { message_ref: 'dddd0001', ...selector }],
    /dddd0001 +bob\\u001b\[2J +3 minutes ago +forgotten\ndddd0002 +bob\\u001b\[2J +2 minutes ago +shown$/,
  ],
  [
    ['delivery', 'dddd0001', ...who],
    ['delivery', { message_ref: 'dddd0001', ...selector }],
    /^dddd0001 is on 1 of 2 devices\.\n\nuser +device +has it\nbob\\u001b\[2J +d0d0d0d0 +yes\nbbbb0001 +e0e0e0e0 +not known yet$/,
  ],
  [
    ['keys', 'list', ...who],
    ['keys', selector],
    /acac0001 +team +plans +never +9 +yes +3 of 4 devices\nacac0001 +everyone +- +never +2 +yes +4 of 4 devices$/,
  ],
  [
    ['prekeys', 'list', ...who],
    ['prekeys', selector],
    /adad0001 +d0d0d0d0 \(this device\) +alice +1 minute ago +in 3 days$/,
  ],
  [
    ['why', 'dddd0001', ...who],
    ['why', { event_ref: 'dddd0001', ...selector }],
    /^dddd0001 {2}message by bob\\u001b\[2J, 3 minutes ago\nwaiting \(key_missing\): Its key has not come yet\.\nwaits for key acac0001\nwaits for device d0d0d0d0$/,
  ],
  [
    ['react', 'dddd0001', '👍', ...who],
    ['react', { message_ref: 'dddd0001', emoji: '👍', ...selector }],
    /^Reacted to dddd0001\.$/,
  ],
  [
    ['delete', 'dddd0001', ...who],
    ['delete', { message_ref: 'dddd0001', ...selector }],
    /^Deleted dddd0001\.$/,
  ],
  [
    ['receipts', '--since', '2026-01-31', '--limit', '3', ...who],
    ['receipts', { since_ms: Date.UTC(2026, 0, 31), limit: 3, ...selector }],
    /^receipt +of a .*\n2 +group key +acac0003 +dirty +3 minutes ago +2 minutes ago +1 minute ago\n1 +prekey +e0e0e0e0 +retired +1 hour ago +- +-$/,
  ],
  [
    ['deletions', ...who],
    ['deletions', { limit: 50, ...selector }],
    /^message.*\ndddd0001 +bob\\u001b\[2J +3 minutes ago +deleted on 4 of 5 devices$/,
  ],
  [
    ['forget', '--now', ...who],
    ['forget', selector],
    /^There was nothing to erase\.\n\nNothing is owed any more\.$/,
  ],
  [
    ['audit', '--no-records', ...who],
    ['forgetting', selector],
    /^2 keys: 1 clean, 1 unreachable, 0 on the way there\.\n\nstage.*\nrekey_creation +0 +- +in \d\d s +-\n[\s\S]*\n\nNothing is owed\.$/,
  ],
  [['jobs', 'list'], ['jobs'], /sync_request +aaaa0001 +every 3 s +in 1\d s|sync_request.*ago +on$/],
  [['jobs', 'next', '--limit', '5'], ['jobsNext', 5], /sync_request +aaaa0001$/],
  [
    ['jobs', 'run', 'sync_request', ...who],
    ['jobRun', 'sync_request', selector],
    /^Ran 1, failed 0, held 0\.$/,
  ],
  [
    ['jobs', 'preview', 'sync_request', ...who],
    ['jobPreview', 'sync_request', selector],
    /outgoing +sync +\{"text":"<5 bytes>"\}$/,
  ],
  [['jobs', 'pause', 'sync_request'], ['jobPause', 'sync_request'], /^Paused 1\.$/],
  [['jobs', 'resume', 'sync_request'], ['jobResume', 'sync_request'], /^Resumed 1\.$/],
  [['jobs', 'history'], ['jobHistory', null, 50], /sync_request +aaaa0001 +0\.8 ms +2 +0 +ok$/],
  [['jobs', 'history', 'sync_request', '--limit', '2'], ['jobHistory', 'sync_request', 2], /0\.8 ms/],
  [['jobs', 'why', 'sync_request'], ['jobWhy', 'sync_request'], /^clock_suspect: The clock is suspect\./],
  [['clock', 'confirm'], ['clockConfirm'], /^The clock is trusted\.$/],
  [['reflectors', 'list'], ['reflectors'], /reflect_sync_request +sync +events\/sync\/reflectors\.ts$/],
  [['queries', 'list'], ['queries'], /get_active_peers +network_id +Peers to sync with\./],
  [
    ['query', 'get_active_peers', '-p', 'network_id=x', '-p', 'note=a=b', ...who],
    ['query', 'get_active_peers', { network_id: 'x', note: 'a=b' }, selector],
    /^message_id +device_id +created_ms +note\ndddd0001 +d0d0d0d0 +\S.* x$/,
  ],
  [['commands', 'list'], ['commands'], /send_message +channel_id text +Send a message\./],
  [
    ['command', 'send_message', '-p', 'text=Hi', ...who],
    ['command', 'send_message', { text: 'Hi' }, selector],
    /^Done: dddd0001 -$/,
  ],
  [
    ['trace', '--limit', '2'],
    ['trace', 2, 0],
    /job sync_request \+1 +verify +received +message +dddd0001 +advance +42 µs$/,
  ],
];

test.each(commands)('sotto %j', async (args, call, shown) => {
  const withOptions = (...options: string[]) =>
    args.toSpliced(endOfOptions(args), 0, '--data', fake.data_dir, ...options);
  const [people, programs] = await Promise.all([run(withOptions()), run(withOptions('--json'))]);
  expect(fake.node.calls).toEqual([call, call]);

  expect(people).toMatchObject({ stderr: '', exit_code: 0 });
  expect(people.stdout.endsWith('\n')).toBe(true);
  expect(people.stdout.slice(0, -1)).toMatch(shown);
  expect(people.stdout.split('\n').filter((line) => line !== line.trimEnd())).toEqual([]);

  expect(programs).toMatchObject({ stderr: '', exit_code: 0 });
  const answer: unknown = JSON.parse(programs.stdout);
  const names = namesIn(answer);
  expect(names.length).toBeGreaterThan(0);
  for (const name of names) expect(name).toMatch(/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/);
  // Ids are whole for programs, never short.
  expect(programs.stdout).not.toMatch(/"[0-9a-f]{8}"/);
});

describe('read notes what it showed as read', () => {
  const read = ['read', 'general', '--network', 'acme'];
  const asked = ['read', { channel_ref: 'general', limit: 50, network: 'acme' }];
  afterEach(() => {
    fake.node.failing = null;
  });

  test.each([[[]], [['--json']]])('with %j', async (options) => {
    const { stdout, stderr, exit_code } = await run([...read, ...options, '--data', fake.data_dir]);
    expect({ stderr, exit_code }).toEqual({ stderr: '', exit_code: 0 });
    expect(stdout).toContain('Hello');
    const calls = [...fake.node.calls];
    const shown = fake.node.facade.read({ channel_ref: 'general', limit: 1 });
    const noted = { read_until_ms: shown.at(-1)?.created_ms, shown_from: shown[0]?.message_id };
    expect(calls).toEqual([asked, ['markRead', { channel_ref: 'general', network: 'acme', ...noted }]]);
  });

  test('nothing where it showed nothing', async () => {
    const { stdout } = await run(['read', 'empty', '--data', fake.data_dir]);
    expect(stdout).toBe('No messages.\n');
    expect(fake.node.calls).toEqual([['read', { channel_ref: 'empty', limit: 50 }]]);
  });

  test('where the node refuses that, what it showed stands', async () => {
    fake.node.failing = {
      method: 'markRead',
      thrown: new SottoError('removed', 'You were \u001b[2Jremoved.'),
    };
    const { stdout, stderr, exit_code } = await run([...read, '--json', '--data', fake.data_dir]);
    expect(JSON.parse(stdout)).toHaveLength(1);
    expect(exit_code).toBe(0);
    expect(stderr).toBe('sotto: Noting this as read failed: You were \\u001b[2Jremoved.\n');
  });
});

describe('for programs', () => {
  test('receipts --json is the export: all, with whole ids', async () => {
    const { stdout } = await run(['receipts', '--json', '--data', fake.data_dir]);
    expect(fake.node.calls).toEqual([['receipts', { since_ms: 0, limit: 10_000 }]]);
    expect(JSON.parse(stdout)).toEqual(fake.node.facade.receipts({ since_ms: 0, limit: 2 }));
    fake.node.calls.length = 0;
    await run(['receipts', '--since', '1h', '--data', fake.data_dir]);
    expect(fake.node.calls).toEqual([['receipts', { since_ms: expect.any(Number), limit: 50 }]]);
    const [, asked] = fake.node.calls[0] ?? [];
    const { since_ms } = asked as { since_ms: number };
    expect(Math.abs(Date.now() - 3_600_000 - since_ms)).toBeLessThan(30_000);
  });

  test('a list is the bare array, with the fields of the node', async () => {
    const { stdout } = await run(['read', 'general', '--keep-unread', '--json', '--data', fake.data_dir]);
    expect(JSON.parse(stdout)).toEqual([
      expect.objectContaining({
        message_id: ids.message,
        text: 'Hello\u001b[2J\nBob',
        reactions: [{ emoji: '👍', count: 2 }],
      }),
    ]);
  });

  test('options may stand before the command, and the data directory in the environment', async () => {
    const { stdout, exit_code } = await run(['--json', 'network', 'list'], {
      env: { SOTTO_DATA: fake.data_dir },
    });
    expect(exit_code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject([{ network_id: ids.network, name: 'acme' }]);
  });
});

/** Where more options can still go: before `--`. */
function endOfOptions(args: readonly string[]): number {
  const at = args.indexOf('--');
  return at === -1 ? args.length : at;
}

function namesIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(namesIn);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [name, ...namesIn(inner)]);
}
