/** Facts of a few stories, for the vectors of the judgement. Ids are words here: they only have to compare. */
import type { GrantFact, Head, JudgedFacts, RemovalFact, RevocationFact } from './judgement.ts';

interface Story {
  readonly name: string;
  readonly facts: JudgedFacts;
  /** Devices that are cut off from the network, and grants that give nothing. */
  readonly out: readonly string[];
  readonly without: readonly string[];
}

/** Alice founded the network; Bob (with a phone) and Carol are admins, Bob's grant is the lower one; Dave is a member. */
const CHAINS = {
  alice: ['a1', 'a2', 'a3', 'a4', 'a5', 'a6'],
  bob: ['b1', 'b2', 'b3'],
  phone: ['p1', 'p2', 'p3'],
  carol: ['c1', 'c2', 'c3'],
  dave: ['d1', 'd2'],
} as const;
type Device = keyof typeof CHAINS;

const links = Object.fromEntries(
  Object.values(CHAINS).flatMap((chain) =>
    chain.map((id, at) => [id, at === 0 ? null : (chain[at - 1] as string)]),
  ),
);
const place = (id: string) => {
  const [author, chain] = Object.entries(CHAINS).find(([, ids]) => (ids as readonly string[]).includes(id))!;
  return { id, author, seq: (chain as readonly string[]).indexOf(id) + 1 };
};
const upTo = (...ids: readonly string[]): Record<string, Head> =>
  Object.fromEntries(ids.map((id) => [place(id).author, { seq: place(id).seq, head: id }]));

const grants: readonly GrantFact[] = [
  { ...place('a4'), user: 'Bob', right: 'admin', basis: null },
  { ...place('a5'), user: 'Carol', right: 'admin', basis: null },
];
const basisOf = (author: string) =>
  author === 'alice' ? null : author === 'carol' ? 'a5' : author === 'dave' ? null : 'a4';
const remove = (
  id: string,
  user: string,
  heads: Record<string, Head>,
  more: Partial<RemovalFact> = {},
): RemovalFact => ({
  ...place(id),
  user,
  whole_user: true,
  heads,
  group: null,
  basis: basisOf(place(id).author),
  because: null,
  known: [],
  ...more,
});
const revoke = (id: string, grant: string, heads: Record<string, Head>): RevocationFact => ({
  ...place(id),
  grant,
  heads,
  group: null,
  basis: basisOf(place(id).author),
  because: null,
});

function story(
  name: string,
  acts: readonly (RemovalFact | RevocationFact)[],
  out: readonly Device[],
  without: readonly string[] = [],
): Story {
  const devices = [
    ['alice', 'Alice', false],
    ['bob', 'Bob', false],
    ['phone', 'Bob', true],
    ['carol', 'Carol', false],
    ['dave', 'Dave', false],
  ] as const;
  return {
    name,
    facts: {
      founder_device: 'alice',
      devices: devices.map(([device, user, linked]) => ({ peer: `peer of ${device}`, device, user, linked })),
      admissions: [
        { ...place('a1'), joiner: 'Bob' },
        { ...place('a2'), joiner: 'Carol' },
        { ...place('a3'), joiner: 'Dave' },
        { ...place('b1'), joiner: 'peer of phone' },
      ],
      grants,
      removals: acts.filter((act): act is RemovalFact => 'user' in act),
      revocations: acts.filter((act): act is RevocationFact => !('user' in act)),
      group_members: [],
      links,
    },
    out,
    without,
  };
}

export const STORIES: readonly Story[] = [
  story('nobody was removed', [], []),
  story(
    'the founder removes somebody, who removes others afterwards',
    [remove('a6', 'Bob', upTo('b1', 'p1')), remove('b2', 'Dave', upTo('d1'))],
    ['bob', 'phone'],
  ),
  story(
    'of two concurrent removals the higher cut holds; who knew of one cannot raise it',
    [
      remove('b2', 'Dave', upTo('d1')),
      remove('c2', 'Dave', upTo('d2')),
      remove('a6', 'Dave', upTo('d2'), { known: ['b2'] }),
    ],
    ['dave'],
  ),
  story(
    'an admin removes their stolen phone, which removes somebody afterwards',
    [remove('b2', 'Bob', upTo('p1'), { whole_user: false }), remove('p2', 'Carol', upTo('c1'))],
    ['phone'],
  ),
  story(
    'a stolen phone removes the first device, which answers',
    [
      remove('p2', 'Bob', upTo('b1'), { whole_user: false }),
      remove('b2', 'Bob', upTo('p2'), { whole_user: false, known: [] }),
    ],
    ['phone'],
  ),
  story(
    'an admin leaves, and removes somebody afterwards',
    [remove('b2', 'Bob', upTo('b1', 'p1')), remove('b3', 'Carol', upTo('c1'))],
    ['bob', 'phone'],
  ),
  story(
    'two equals remove each other without having heard: the lower grant holds',
    [remove('c2', 'Bob', upTo('b1', 'p1')), remove('b2', 'Carol', upTo('c1'))],
    ['carol'],
  ),
  story(
    'two equals remove each other, one of them knowing: the other holds',
    [remove('c2', 'Bob', upTo('b1', 'p1')), remove('b2', 'Carol', upTo('c2'))],
    ['bob', 'phone'],
  ),
  story(
    'an equal who was removed removes a third',
    [remove('c2', 'Bob', upTo('b1', 'p1')), remove('b2', 'Dave', upTo('d1'))],
    ['bob', 'phone'],
  ),
  story(
    'a junior removes the founder, who answers',
    [remove('c2', 'Alice', upTo('a5')), remove('a6', 'Carol', upTo('c2'))],
    ['carol'],
  ),
  story(
    'a right is taken: what was done by it before holds, what comes after does not',
    [remove('c2', 'Dave', upTo('d1')), revoke('a6', 'a5', upTo('c2')), remove('c3', 'Bob', upTo('b1', 'p1'))],
    ['dave'],
  ),
  story(
    'a removal cuts off before a grant: it gives nothing any more',
    [remove('c2', 'Alice', upTo('a3'))],
    ['alice'],
    ['a4', 'a5'],
  ),
];
