/**
 * The judgement on facts, as our code makes it and as another implementation does (`golden/judgement.ts`): on vectors that are kept, and on any facts that
 * people, honest or not, could have made.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Facts } from '../protocols/quiet/rules/facts.ts';
import { judgeFacts } from '../protocols/quiet/rules/standing.ts';
import type { JudgedFacts, RemovalFact, Result, RevocationFact } from './golden/judgement.ts';
import * as independent from './golden/judgement.ts';
import { STORIES } from './golden/stories.ts';

/** Facts as our code takes them. */
function ours(facts: JudgedFacts): Facts {
  const chain = (head: string) => {
    const found = new Set<string>();
    for (let at: string | null = head; at !== null; at = facts.links[at] ?? null) found.add(at);
    return found;
  };
  const acts = [...facts.removals, ...facts.revocations];
  const act = ({ id, author, seq, group, basis, because }: RemovalFact | RevocationFact) => ({
    event_id: id,
    author,
    seq,
    group_id: group,
    basis_id: basis,
    because_id: because,
  });
  return {
    founder_device: facts.founder_device,
    devices: facts.devices.map(({ peer, device, user, linked }) => ({
      peer_id: peer,
      device_id: device,
      user_id: user,
      is_linked: linked,
    })),
    admissions: facts.admissions.map(({ id, author, joiner }) => ({
      event_id: id,
      author,
      joiner_id: joiner,
    })),
    grants: facts.grants.map(({ id, author, user, right, basis }) => ({
      event_id: id,
      author,
      user_id: user,
      right,
      basis_id: basis,
    })),
    removals: facts.removals.map((one) => ({ ...act(one), user_id: one.user, whole_user: one.whole_user })),
    revocations: facts.revocations.map((one) => ({ ...act(one), grant_id: one.grant })),
    group_members: facts.group_members.map(({ id, author, group, user, creator }) => ({
      event_id: id,
      author,
      group_id: group,
      user_id: user,
      creator_id: creator,
    })),
    heads: new Map(acts.map(({ id, heads }) => [id, new Map(Object.entries(heads))])),
    known: new Map(facts.removals.map(({ id, known }) => [id, new Set(known)])),
    is_known: (id) => facts.removals.some(({ known }) => known.includes(id)),
    onChain: chain,
    missing: () => [],
  };
}

function judged(facts: JudgedFacts): Result {
  const { cuts, rights } = judgeFacts(ours(facts));
  return {
    cuts: cuts.map(({ device_id, group_id, seq, head }) => ({
      device: device_id,
      group: group_id,
      seq,
      head,
    })),
    rights: rights.map(({ grant_id, device_id, group_id, seq, head }) => ({
      grant: grant_id,
      device: device_id,
      group: group_id,
      seq,
      head,
    })),
  };
}

const sorted = ({ cuts, rights }: Result) => ({
  cuts: cuts.map((row) => JSON.stringify(row)).sort(),
  rights: rights.map((row) => JSON.stringify(row)).sort(),
});

describe('vectors', () => {
  const path = new URL('golden/judgement.json', import.meta.url);
  const made = STORIES.map(({ name, facts }) => ({ name, facts, result: judged(facts) }));
  const text = `${JSON.stringify(made, null, 2)}\n`;
  if (process.env.UPDATE_GOLDEN !== undefined) writeFileSync(path, text);

  it('are made as they are', () => {
    expect(text).toBe(readFileSync(path, 'utf8'));
  });

  it.each(STORIES.map((story) => [story.name, story] as const))('%s', (_name, { facts, out, without }) => {
    const result = independent.judge(facts);
    expect(sorted(result)).toEqual(sorted(judged(facts)));
    const devices = result.cuts.filter(({ group }) => group === null).map(({ device }) => device);
    const grants = result.rights.filter(({ device }) => device === null).map(({ grant }) => grant);
    expect([devices.sort(), grants.sort()]).toEqual([out, without]);
  });
});

/** What somebody does next; numbers choose among what there is by then. */
interface Deed {
  readonly kind:
    | 'admit'
    | 'grant'
    | 'remove'
    | 'remove_device'
    | 'revoke'
    | 'group'
    | 'group_add'
    | 'close'
    | 'close_right'
    | 'other';
  readonly who: number;
  readonly whom: number;
  readonly by: number;
  readonly known: number;
  readonly at: readonly number[];
  readonly fork: number;
  readonly salt: number;
}
const deed: fc.Arbitrary<Deed> = fc.record({
  kind: fc.constantFrom(
    'admit',
    'grant',
    'grant',
    'remove',
    'remove',
    'remove',
    'remove_device',
    'remove_device',
    'remove_device',
    'revoke',
    'revoke',
    'group',
    'group_add',
    'close',
    'close',
    'close_right',
    'other',
    'other',
  ),
  who: fc.nat(5),
  whom: fc.nat(5),
  by: fc.nat(3),
  known: fc.nat(255),
  at: fc.array(fc.nat(9), { minLength: 6, maxLength: 6 }),
  fork: fc.nat(7),
  salt: fc.nat(0xffffff),
});

/** Founder A, and B, C, D with the further devices b and c. Whoever does something may have heard of anything, or of nothing; and may write two histories. */
function factsOf(deeds: readonly Deed[]): JudgedFacts {
  const people = ['A', 'B', 'C', 'D'];
  const names = ['A', 'B', 'b', 'C', 'c', 'D'];
  const userOf = (device: string) => `user ${device.toUpperCase()}`;
  const devices = names.map((device) => ({
    peer: `peer ${device}`,
    device,
    user: userOf(device),
    linked: device !== device.toUpperCase(),
  }));
  const links: Record<string, string | null> = {};
  /** Events of a device in an audience, in the order in which they were made. */
  const chains = new Map<string, { id: string; seq: number }[]>();
  const facts = {
    founder_device: 'A',
    devices,
    admissions: [] as JudgedFacts['admissions'][number][],
    grants: [] as JudgedFacts['grants'][number][],
    removals: [] as RemovalFact[],
    revocations: [] as RevocationFact[],
    group_members: [] as JudgedFacts['group_members'][number][],
    links,
  };
  let made = 0;
  const chain = (device: string, group: string | null) => {
    const found = chains.get(`${device} ${group}`) ?? [];
    chains.set(`${device} ${group}`, found);
    return found;
  };
  const say = (device: string, group: string | null, salt: number, fork = 7) => {
    const own = chain(device, group);
    const before = fork < 2 ? own[own.length - 1 - fork - 1] : own.at(-1);
    const id = `${salt.toString(16).padStart(6, '0')} ${made++}`;
    links[id] = before?.id ?? null;
    const seq = (before?.seq ?? 0) + 1;
    own.push({ id, seq });
    return { id, author: device, seq };
  };
  for (const name of ['B', 'C', 'D']) facts.admissions.push({ ...say('A', null, 1), joiner: userOf(name) });
  for (const name of ['b', 'c']) facts.admissions.push({ ...say('A', null, 2), joiner: `peer ${name}` });
  for (const [at, name] of ['B', 'C'].entries())
    facts.grants.push({ ...say('A', null, 50 + at), user: userOf(name), right: 'admin', basis: null });

  for (const { kind, who, whom, by, known, at, fork, salt } of deeds) {
    const author = names[who] as string;
    const target = names[whom] as string;
    const own_grants = facts.grants.filter(({ user }) => user === userOf(author));
    const grant = own_grants[by % Math.max(1, own_grants.length)]?.id ?? null;
    const basis = userOf(author) === 'user A' ? null : grant;
    const groups = [...new Set(facts.group_members.map(({ group }) => group))];
    const group = by === 3 ? (groups[known % Math.max(1, groups.length)] ?? null) : null;
    const headsIn = (audience: string | null, of: readonly string[]) =>
      Object.fromEntries(
        of.flatMap((device, place) => {
          const events = chain(device, audience);
          const left =
            at[place] === 9
              ? undefined
              : events[events.length - 1 - ((at[place] ?? 0) % (events.length + 1))];
          // Sometimes a device is not named.
          if (at[place] === 8) return [];
          return [
            [device, left === undefined ? { seq: 0, head: null } : { seq: left.seq, head: left.id }] as const,
          ];
        }),
      );
    const of_user = names.filter((device) => userOf(device) === userOf(target));
    const knownOf = (audience: string | null) =>
      facts.removals
        .filter((one) => one.group === audience && one.user === userOf(target))
        .filter((_one, place) => (known >> (place % 8)) % 2 === 1)
        .map(({ id }) => id);
    const may = basis !== null || userOf(author) === 'user A' || userOf(author) === userOf(target);
    if (kind === 'other') say(author, group, salt, fork);
    else if (kind === 'admit')
      facts.admissions.push({
        ...say(author, null, salt, fork),
        joiner: known % 2 === 0 ? userOf(target) : `peer ${target}`,
      });
    else if (kind === 'grant' && (basis !== null || author === 'A')) {
      const right = known % 3 === 0 ? 'invite' : 'admin';
      facts.grants.push({ ...say(author, null, salt, fork), user: userOf(target), right, basis });
    } else if (kind === 'remove' || kind === 'remove_device') {
      const founds = facts.group_members.some((one) => one.group === group && one.creator === userOf(author));
      if (!may && !founds) continue;
      const whole_user = kind === 'remove';
      const heads = headsIn(group, whole_user ? of_user : [target]);
      const fields = {
        user: userOf(target),
        whole_user,
        heads,
        basis,
        because: null,
        group,
        known: knownOf(group),
      };
      facts.removals.push({ ...say(author, group, salt, fork), ...fields });
    } else if (kind === 'revoke' && facts.grants.length > 0 && (basis !== null || author === 'A')) {
      const taken = facts.grants[known % facts.grants.length] as JudgedFacts['grants'][number];
      const heads = headsIn(
        null,
        names.filter((device) => userOf(device) === taken.user),
      );
      facts.revocations.push({
        ...say(author, null, salt, fork),
        grant: taken.id,
        heads,
        basis,
        because: null,
        group: null,
      });
    } else if (kind === 'group') {
      const { id } = say(author, null, salt, 7);
      // The first of its author's chain there.
      chains.get(`${author} null`)?.pop();
      links[id] = null;
      chain(author, id).push({ id, seq: 1 });
      for (const name of people
        .filter((_, place) => place === 0 || (known >> place) % 2 === 1)
        .concat(author.toUpperCase()))
        facts.group_members.push({ id, author, group: id, user: userOf(name), creator: userOf(author) });
    } else if (kind === 'group_add' && groups.length > 0) {
      const into = groups[known % groups.length] as string;
      const creator = facts.group_members.find((one) => one.group === into)?.creator ?? '';
      facts.group_members.push({
        ...say(author, into, salt, fork),
        group: into,
        user: userOf(target),
        creator,
      });
    } else if (kind === 'close' && groups.length > 0) {
      const into = groups[known % groups.length] as string;
      const because = facts.removals.find((one) => one.group === null && one.user === userOf(target))?.id;
      if (because === undefined) continue;
      const fields = {
        user: userOf(target),
        whole_user: false,
        heads: headsIn(into, of_user),
        basis: null,
        because,
      };
      facts.removals.push({ ...say(author, into, salt, fork), ...fields, group: into, known: knownOf(into) });
    } else if (kind === 'close_right' && groups.length > 0) {
      const into = groups[known % groups.length] as string;
      const cause = facts.revocations[by % Math.max(1, facts.revocations.length)];
      const user = facts.grants.find(({ id }) => id === cause?.grant)?.user;
      if (cause === undefined || cause.group !== null) continue;
      const heads = headsIn(
        into,
        names.filter((device) => userOf(device) === user),
      );
      const fields = { grant: cause.grant, heads, basis: null, because: cause.id, group: into };
      facts.revocations.push({ ...say(author, into, salt, fork), ...fields });
    }
  }
  return facts;
}

/** By hand: RUNS=100000 looks longer, SEED and REPLAY look again. */
const { RUNS, SEED, REPLAY } = process.env;
const again = {
  ...(SEED === undefined ? {} : { seed: Number(SEED) }),
  ...(REPLAY === undefined ? {} : { path: REPLAY }),
};

describe('S1, S12: any facts', () => {
  it('both implementations come to the same, in whatever order the facts are given', () => {
    let circles = 0;
    fc.assert(
      fc.property(fc.array(deed, { minLength: 2, maxLength: 14, size: 'max' }), (deeds) => {
        const facts = factsOf(deeds);
        const result = sorted(judged(facts));
        expect(result).toEqual(sorted(independent.judge(facts)));
        const turned = {
          ...facts,
          removals: facts.removals.toReversed(),
          revocations: facts.revocations.toReversed(),
          grants: facts.grants.toReversed(),
          admissions: facts.admissions.toReversed(),
          devices: facts.devices.toReversed(),
          group_members: facts.group_members.toReversed(),
        };
        expect(sorted(judged(turned))).toEqual(result);
        const mutual = facts.removals.some((one) =>
          facts.removals.some(
            (other) => one.author in other.heads && other.author in one.heads && one !== other,
          ),
        );
        if (mutual) circles += 1;
      }),
      { numRuns: Number(RUNS ?? 4_000), ...again },
    );
    if (RUNS === undefined && REPLAY === undefined) expect(circles).toBeGreaterThan(200);
  }, 600_000);
});
