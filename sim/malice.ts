/**
 * What hostile members and strangers say, by kind: each makes the frames that go to each victim, with all that its author knows. Some of it is valid and
 * only unkind; most of it must be refused, or wait within its author's quota, and none of it may cost others a word.
 */

import { encodeBody } from '../core/body-codec.ts';
import { encode } from '../core/cbor.ts';
import type { Header, Wrap } from '../core/envelope.ts';
import type { Id } from '../core/fields.ts';
import { encodeEventItem, encodeHeaderItem } from '../core/frame-codec.ts';
import { encodeHeader } from '../core/header-codec.ts';
import { limits, NEVER_MS } from '../core/limits.ts';
import { type Signer, signerFromSeed } from '../crypto/sign.ts';
import type { Chance } from './chance.ts';
import {
  type Body,
  bombs,
  deliveryOf,
  eventFrame,
  type Faults,
  type Forged,
  flipped,
  forge,
  forgeSealed,
  frameOf,
  type GroupKey,
  ground,
  headerBy,
  headerBytes,
  namesOf,
  newKey,
  plaintextOf,
  type Stored,
  saying,
  transient,
  typeNamed,
  wrapUnder,
} from './forge.ts';
import { spans } from './scenario.ts';

const { SECOND_MS, MINUTE_MS, HOUR_MS, DAY_MS } = spans;
const YEAR_MS = 365 * DAY_MS;
/** In one session; beyond it would only be more of the same. */
const FRAMES_MAX = 200;

/** What a hostile member has heard by now. Nothing of it is forgotten because others do: neither keys that were erased nor events that were deleted. */
export interface Known {
  readonly network_id: Id;
  readonly device_id: Id;
  /** The secret of her device key. */
  readonly secret: Uint8Array;
  readonly founder: { readonly user_id: Id; readonly device_id: Id };
  readonly keys: Map<Id, GroupKey>;
  readonly heard: Map<Id, Stored>;
  /** Events of other networks that went by. */
  readonly of_others: Stored[];
  /** Frames that she has sent before. */
  readonly frames: Uint8Array[];
  /** Messages of her own making: the only ones that she may edit and delete without anybody wondering. */
  readonly said: Forged[];
  channels: readonly { readonly channel_id: Id; readonly group_id: Id }[];
  /** By device, the newest last. */
  prekeys: ReadonlyMap<Id, readonly Id[]>;
  last_seq: number;
}

/** For each victim, the frames that it is sent. */
type Deed = (malice: Malice, victims: readonly Id[]) => (readonly Uint8Array[])[];

export class Malice {
  readonly known: Known;
  readonly signer: Signer;
  readonly chance: Chance;
  readonly now_ms: number;
  /** Ids of what was forged: whoever refuses one of these has refused a hostile event. */
  readonly made = new Set<Id>();
  #seq: number;

  constructor(known: Known, signer: Signer, chance: Chance, now_ms: number) {
    this.known = known;
    this.signer = signer;
    this.chance = chance;
    this.now_ms = now_ms;
    // Sometimes as if her chain went on, sometimes far beyond.
    this.#seq = chance.holds(0.5) ? known.last_seq + 1 : 100_000 + chance.below(1_000_000);
  }

  say(kind: string, victims: readonly Id[]): (readonly Uint8Array[])[] {
    return DEEDS[kind]!(this, victims).map((frames) => frames.slice(0, FRAMES_MAX));
  }

  header(more: Partial<Header> = {}): Header {
    return headerBy(this.signer, this.known.network_id, {
      seq: this.#seq++,
      created_ms: this.now_ms - this.chance.below(SECOND_MS),
      ...more,
    });
  }

  inClear(type: string, body: Body, more: Partial<Header> = {}): Forged {
    return this.#note(forge(this.header({ type, ...more }), encodeBody(typeNamed(type), body), this.signer));
  }

  sealed(plaintext: Uint8Array, key: GroupKey, more: Partial<Header> = {}, faults: Faults = {}): Forged {
    const header = this.header({ group_id: key.group_id, expires_ms: key.expires_ms, ...more });
    return this.#note(forgeSealed(header, plaintext, this.signer, key, faults));
  }

  /** A message that is as it should be, where nothing else is said. */
  message(key: GroupKey = this.key(), more: Partial<Header> = {}, faults: Faults = {}): Forged {
    return this.sealed(this.words(key), key, more, faults);
  }

  words(key: GroupKey): Uint8Array {
    return plaintextOf('message', {
      channel_id: key.channel_id ?? this.id(),
      text: `unheard of ${this.chance.below(1e6)}`,
    });
  }

  #note(forged: Forged): Forged {
    this.made.add(forged.event_id);
    return forged;
  }

  /** One of the newest keys that seal messages; one of her own making where she was given none. */
  key(): GroupKey {
    const all = [...this.known.keys.values()].filter(
      ({ channel_id, expires_ms }) => channel_id !== null && expires_ms > this.now_ms,
    );
    return all.length === 0 ? this.newKey() : this.chance.pick(all.slice(-6));
  }

  newKey(expires_ms: number = NEVER_MS): GroupKey {
    const { channels, network_id } = this.known;
    const channel = channels[this.chance.below(channels.length)] ?? {
      group_id: network_id,
      channel_id: network_id,
    };
    return newKey(this.chance.bytes(32), channel, expires_ms);
  }

  id = (): Id => this.chance.bytes(32).toHex();

  heard(matching: (stored: Stored) => boolean = () => true): Stored | null {
    const all = [...this.known.heard.values()].filter(matching);
    return all.length === 0 ? null : this.chance.pick(all);
  }

  /** A message of somebody else. */
  othersMessage(): Stored | null {
    return this.heard(({ type, author }) => type === 'message' && author !== this.known.device_id);
  }

  /** Of what she has heard some, and among it what is long deleted. */
  recorded(count: number): Stored[] {
    return this.chance.shuffled([...this.known.heard.values()]).slice(0, count);
  }

  /** Gives a key to a device by the newest prekey that it advertises, or by another. */
  delivery(
    key: GroupKey,
    device_id: Id,
    lies: Body = {},
    prekey = this.known.prekeys.get(device_id)?.at(-1),
  ): Forged {
    const body = deliveryOf(key, device_id, prekey ?? this.id(), this.chance.bytes(32));
    const { group_id, expires_ms } = key;
    return this.inClear('key', { ...body, ...lies }, { group_id, expires_ms });
  }

  request(more: Body): Uint8Array {
    return saying('sync_request', { ...requestAt(this.now_ms), ...more });
  }

  response(more: Body): Uint8Array {
    return saying('sync_response', {
      message: null,
      cut_ms: this.now_ms,
      round: 0,
      asker_progress: this.chance.below(1e6),
      answerer_progress: this.chance.below(1e6),
      answerer_progressed: this.chance.holds(0.5),
      ...more,
    });
  }

  /** So many of something. */
  several<T>(low: number, high: number, make: (at: number) => T): T[] {
    return Array.from({ length: this.chance.between(low, high) }, (_, at) => make(at));
  }
}

const requestAt = (now_ms: number): Body => ({
  message: null,
  need: [],
  keys: [],
  end_groups: [],
  end_seqs: [],
  cut_ms: now_ms,
  now_ms,
  round: 0,
  asker_progress: 0,
  answerer_progress: 0,
  introduced: false,
});

const aimed = ({ header, signature }: Pick<Stored, 'header' | 'signature'>) => ({
  target_header: header.toHex(),
  target_signature: signature.toHex(),
});
const targetOf = ({ event_id, expires_ms }: Stored) => ({ target: { event_id, expires_ms } });

function ofEvent(m: Malice, make: (stored: Stored) => Uint8Array): Uint8Array | null {
  const stored = m.heard();
  return stored === null ? null : make(stored);
}

function byStranger(m: Malice, network_id: Id): Uint8Array {
  const signer = signerFromSeed(m.chance.bytes(32));
  const key = m.key();
  const header = headerBy(signer, network_id, { created_ms: m.now_ms, group_id: key.group_id });
  const { item } = forgeSealed(header, m.words(key), signer, key);
  signer.destroy();
  return frameOf(item);
}

const oneMessage = (m: Malice, faults: Faults, more: Partial<Header> = {}): Uint8Array =>
  frameOf(m.message(m.key(), more, faults).item);

/** Something aimed at a message of somebody else, under a key that this one is under, too. */
function ofMessage(m: Malice, make: (of: Stored) => Uint8Array): Uint8Array | null {
  const of = m.othersMessage();
  const key = of?.wraps.map(({ key_id }) => m.known.keys.get(key_id)).find((held) => held !== undefined);
  return of === null || key === undefined ? null : frameOf(m.sealed(make(of), key, targetOf(of)).item);
}

const deletion = (of: Pick<Stored, 'header' | 'signature'>, basis_id: Id | null = null) =>
  plaintextOf('delete-message', { ...aimed(of), basis_id });

const REMOVES_NOBODY = {
  basis_id: null,
  because_id: null,
  known_ids: [],
  device_ids: [],
  head_seqs: [],
  head_ids: [],
};

/** One frame each that nobody may take anything from, not even from a member who holds the keys. Null: she has not heard what it takes. */
const NONSENSE: readonly ((m: Malice) => Uint8Array | null)[] = [
  // Bytes.
  (m) => m.chance.bytes(m.chance.below(400)),
  (m) => frameOf(m.chance.bytes(1 + m.chance.below(200))),
  (m) => m.chance.pick(bombs(m.chance)),
  (m) => ofEvent(m, (raw) => eventFrame(raw).slice(0, m.chance.below(200))),
  (m) => ofEvent(m, (raw) => Uint8Array.from([...eventFrame(raw), ...m.chance.bytes(1 + m.chance.below(9))])),
  (m) => ofEvent(m, (raw) => flipped(eventFrame(raw), m.chance)),
  (m) => ofEvent(m, (raw) => eventFrame({ ...raw, header: flipped(raw.header, m.chance) })),
  (m) => ofEvent(m, (raw) => eventFrame({ ...raw, signature: flipped(raw.signature, m.chance) })),
  (m) => ofEvent(m, (raw) => eventFrame({ ...raw, body: m.chance.bytes(30) })),
  (m) => ofEvent(m, (raw) => eventFrame({ ...raw, body: new Uint8Array(70_000) })),
  (m) => frameOf(encodeHeaderItem(m.chance.bytes(m.chance.below(600)), m.chance.bytes(64))),
  (m) => frameOf(encodeHeaderItem(encodeHeader(m.header()), m.chance.bytes(64))),
  (m) => ofEvent(m, ({ header }) => frameOf(encodeHeaderItem(header, m.chance.bytes(64)))),

  // Somebody else's name.
  (m) => oneMessage(m, {}, { author: m.othersMessage()?.author ?? m.known.founder.device_id }),
  (m) => byStranger(m, m.known.network_id),
  (m) => byStranger(m, m.id()),

  // Classes that are not for others.
  (m) => transient(m.chance.pick(namesOf('local')), m.chance.bytes(m.chance.below(30))),
  (m) => transient(m.chance.pick([...namesOf('public'), ...namesOf('sealed')]), encode(new Map())),
  (m) => saying('purge-key', { kind: 'group_key', key_id: m.key().key_id, secure_delete: true }),
  (m) => saying('delete-event', { event_ids: [...m.known.heard.keys()].slice(-20), why: 'expired' }),
  () => saying('retire-prekeys', {}),
  () => transient('no_such_thing', new Uint8Array()),
  (m) => transient('sync_request', encode(new Map([['message', m.chance.bytes(5)]]))),
  (m) => {
    const type = m.chance.pick(namesOf('local'));
    return frameOf(m.inClear('address', { address: 'eve.example:1' }, { type }).item);
  },
  (m) => frameOf(m.inClear('sync_refused', { introduced: true }).item),
  (m) => {
    const group_id = m.known.network_id;
    return frameOf(m.inClear('message', { channel_id: m.id(), text: 'for all to read' }, { group_id }).item);
  },
  (m) => {
    const { raw } = m.inClear('address', { address: 'eve.example:1' });
    return eventFrame({ ...raw, wraps: [{ key_id: m.key().key_id, sealed: m.chance.bytes(48) }] });
  },
  (m) => frameOf(m.inClear('network', { nonce: m.chance.bytes(16).toHex() }).item),
  (m) => frameOf(m.inClear('network', { nonce: m.chance.bytes(16).toHex() }, { network_id: null }).item),

  // Sealed, but not as it should be.
  (m) => oneMessage(m, { wrap: (wrap) => [{ ...wrap, sealed: flipped(wrap.sealed, m.chance) }] }),
  (m) => oneMessage(m, { wrap: (wrap) => [{ ...wrap, sealed: wrap.sealed.slice(1) }] }),
  (m) => oneMessage(m, { wrap: (wrap) => m.several(17, 25, () => wrap) }),
  (m) => oneMessage(m, { wrap: () => [] }),
  (m) => oneMessage(m, { ciphertext: (body) => flipped(body, m.chance) }),
  (m) => oneMessage(m, { ciphertext: (body) => body.slice(0, m.chance.below(16)) }),
  (m) => oneMessage(m, { commitment: m.id() }),
  (m) => oneMessage(m, { commitment: null }),
  (m) => oneMessage(m, {}, { group_id: null }),
  (m) => oneMessage(m, {}, { group_id: m.id() }),
  (m) => {
    const [one, other] = [m.key(), m.key()];
    return one === other
      ? null
      : frameOf(m.sealed(m.words(other), one, { group_id: other.group_id, expires_ms: one.expires_ms }).item);
  },
  (m) => frameOf(m.sealed(m.chance.bytes(m.chance.below(100)), m.key()).item),
  (m) => {
    const name = m.chance.pick([...namesOf('local'), ...namesOf('public'), ...namesOf('transient')]);
    return frameOf(m.sealed(encode([name, encode(new Map())]), m.key()).item);
  },
  (m) => frameOf(m.sealed(encode(['message', encode(new Map([['more', 1]]))]), m.key()).item),

  // What only others may do.
  (m) => ofMessage(m, (of) => deletion(of)),
  (m) => ofMessage(m, (of) => deletion(of, m.id())),
  (m) => ofMessage(m, (of) => deletion(m.heard() ?? of)),
  (m) =>
    ofMessage(m, (of) =>
      plaintextOf('edit', {
        channel_id: m.chance.pick(m.known.channels).channel_id,
        text: 'I was wrong',
        ...aimed(of),
      }),
    ),
  (m) => {
    const of = m.heard(({ author }) => author !== m.known.device_id);
    return of === null ? null : frameOf(m.sealed(deletion(of), m.key(), targetOf(of)).item);
  },
  (m) =>
    frameOf(m.inClear('grant', { user_id: m.known.founder.user_id, right: 'admin', basis_id: null }).item),
  (m) => {
    const { user_id } = m.known.founder;
    return frameOf(m.inClear('remove', { ...REMOVES_NOBODY, user_id, whole_user: true }).item);
  },
  (m) => {
    const { user_id, device_id } = m.known.founder;
    const cut = { device_ids: [device_id], head_seqs: [0], head_ids: ['00'.repeat(32)] };
    return frameOf(m.inClear('remove', { ...REMOVES_NOBODY, ...cut, user_id, whole_user: false }).item);
  },
  (m) => frameOf(m.inClear('prekey', { public_key: m.id() }).item),
  (m) => {
    const public_key = m.chance.pick(['00'.repeat(32), `01${'00'.repeat(31)}`, `ec${'ff'.repeat(31)}`]);
    return frameOf(m.inClear('prekey', { public_key }, { expires_ms: m.now_ms + DAY_MS }).item);
  },
];

const toAll =
  (make: (m: Malice, victims: readonly Id[]) => readonly (Uint8Array | null)[]): Deed =>
  (m, victims) => {
    const frames = make(m, victims).filter((frame) => frame !== null);
    return victims.map(() => frames);
  };

const batches = (items: readonly Uint8Array[], size: number): Uint8Array[] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, at) =>
    frameOf(...items.slice(at * size, (at + 1) * size)),
  );

/** By name. */
const DEEDS: Readonly<Record<string, Deed>> = {
  nonsense: toAll((m) => m.several(4, 24, () => m.chance.pick(NONSENSE)(m))),

  'words as anybody says them': toAll((m) => {
    const items = m.several(1, 8, () => {
      const message = m.message();
      m.known.said.push(message);
      return message.item;
    });
    const to = m.othersMessage();
    if (to !== null)
      items.push(m.sealed(plaintextOf('reaction', { message_id: to.event_id, emoji: 'no' }), m.key()).item);
    return batches(items, 3);
  }),

  'edits and deletions of what she said, out of order': toAll((m) => {
    const own = m.known.said.at(-1 - m.chance.below(4)) ?? m.known.said.at(-1);
    const key = own && m.known.keys.get(own.raw.wraps[0]?.key_id ?? '');
    if (own === undefined || key?.channel_id == null) return [];
    const { channel_id } = key;
    const target = { event_id: own.event_id, expires_ms: own.header.expires_ms };
    const edits = m.several(1, 5, (at) => {
      const words = plaintextOf('edit', { channel_id, text: `version ${at}`, ...aimed(own.raw) });
      return m.sealed(words, key, { target, created_ms: m.now_ms - m.chance.below(DAY_MS) }).item;
    });
    const last = m.sealed(deletion(own.raw), key, { target }).item;
    const items = m.chance.holds(0.5) ? [...edits, own.item] : [...edits, own.item, last];
    return m.chance.shuffled(items).map((item) => frameOf(item));
  }),

  'old events again': toAll((m) => batches(m.recorded(m.chance.between(5, 80)).map(encodeEventItem), 20)),

  'events of other networks': toAll((m) => {
    const all = m.known.of_others;
    return all.length === 0
      ? []
      : batches(
          m.several(1, 40, () => encodeEventItem(m.chance.pick(all))),
          20,
        );
  }),

  'what she has sent before': toAll((m) => m.known.frames.slice(-40)),

  'impossible times': toAll((m) => {
    const key = m.key();
    const { now_ms } = m;
    const ahead = [9 * MINUTE_MS, HOUR_MS, 100 * YEAR_MS].map((ms) => now_ms + ms);
    const created = [...ahead, 2 ** 48 - 1, 0, 1, now_ms - 20 * YEAR_MS];
    const lives = [0, 1, SECOND_MS, DAY_MS, limits.lifetime_ms_max, limits.lifetime_ms_max + 1];
    const messages = created.flatMap((created_ms) =>
      lives.map((life_ms) => m.message(key, { created_ms, expires_ms: created_ms + life_ms }).item),
    );
    const { header } = m.message(key);
    const odd = [-1, 2 ** 48, 2 ** 53, 1.5, Number.NaN, 1e300, '9e99'].flatMap((value) =>
      [5, 7, 8].map((place) =>
        encodeEventItem({
          header: headerBytes(header, { [place]: value }),
          signature: m.chance.bytes(64),
          body: m.chance.bytes(40),
          wraps: [],
        }),
      ),
    );
    return batches(m.chance.shuffled([...messages, ...odd]).slice(0, m.chance.between(4, 40)), 5);
  }),

  'two histories': (m, victims) => {
    const key = m.key();
    const seq = m.known.last_seq + 1;
    const prev = m.heard(({ author }) => author === m.known.device_id)?.event_id ?? null;
    const told = victims.map(() => {
      const message = m.message(key, { seq, prev });
      return [message, m.message(key, { seq: seq + 1, prev: message.event_id })];
    });
    // Who is the only victim is told both.
    if (victims.length === 1) told[0]!.push(m.message(key, { seq, prev }));
    return told.map((messages) => messages.map(({ item }) => frameOf(item)));
  },

  'a key for some of them': (m, victims) => {
    const expires_ms = m.chance.holds(0.5) ? NEVER_MS : m.now_ms + m.chance.between(1, 48) * HOUR_MS;
    const key = m.newKey(expires_ms);
    const half = Math.ceil(victims.length / 2);
    // Of the others it is said that they have it, too.
    const lies = m.chance.holds(0.5) ? victims.slice(half) : [];
    const given = [
      ...victims.slice(0, half).map((device) => m.delivery(key, device)),
      ...lies.map((device) => m.delivery(key, device, { sealed: m.chance.bytes(80).toHex() })),
    ].map(({ item }) => item);
    const messages = m.several(1, 5, () => frameOf(m.message(key).item));
    // Later more may come under it.
    if (m.chance.holds(0.5)) m.known.keys.set(key.key_id, key);
    return victims.map(() => [frameOf(...given), ...messages]);
  },

  'keys that are not what they are said to be': toAll((m, victims) => {
    const victim = m.chance.pick(victims);
    const held = m.key();
    const items = [
      m.delivery(m.newKey(), victim, {}, m.id()),
      m.delivery(m.newKey(), victim, {}, '00'.repeat(32)),
      m.delivery(m.newKey(), victim, { key_id: m.id() }),
      m.delivery(m.newKey(), victim, { channel_id: null }),
      m.delivery(m.newKey(), victim, { key_expires_ms: m.now_ms + HOUR_MS }),
      m.delivery(m.newKey(m.now_ms + SECOND_MS), victim),
      m.delivery(m.newKey(), m.id()),
      m.delivery(m.newKey(), m.known.device_id),
      // That somebody says so keeps nobody else from giving the key.
      ...victims.map((device) => m.delivery(held, device, { sealed: m.chance.bytes(80).toHex() })),
      m.delivery(held, victim, { key_expires_ms: NEVER_MS, channel_id: m.id() }),
      m.delivery({ ...held, group_id: m.id() }, victim),
    ];
    return m.chance.shuffled(items).map(({ item }) => frameOf(item));
  }),

  // Nothing is used up by it: others can give keys by the same prekeys, before and after.
  'every prekey that there is': toAll((m, victims) => {
    const all = victims.flatMap((device) =>
      (m.known.prekeys.get(device) ?? []).map((prekey) => ({ device, prekey })),
    );
    const key = m.newKey(m.chance.holds(0.5) ? NEVER_MS : m.now_ms + HOUR_MS);
    const items = all.flatMap(({ device, prekey }) => [
      m.delivery(key, device, {}, prekey),
      m.delivery(m.newKey(), device, { sealed: m.chance.bytes(80).toHex() }, prekey),
      m.delivery(m.newKey(m.now_ms + HOUR_MS), device, {}, prekey),
    ]);
    return [
      ...batches(
        items.map(({ item }) => item),
        20,
      ),
      frameOf(m.message(key).item),
    ];
  }),

  'ids of one moment, and ground ones': toAll((m) => {
    const created_ms = m.now_ms - m.chance.below(DAY_MS);
    const key = m.key();
    const messages = m.several(10, 120, () => m.message(key, { created_ms }));
    const begins = m.chance.below(256);
    const address = typeNamed('address');
    const alike = ground(
      (at) => ({
        header: m.header({ type: 'address', created_ms }),
        body: encodeBody(address, { address: `nobody:${at}` }),
      }),
      m.signer,
      m.chance.between(2, 12),
      begins,
    );
    return batches(
      m.chance.shuffled([...messages, ...alike]).map(({ item }) => item),
      50,
    );
  }),

  // Nobody signs wraps: whoever passes an event on can exchange them.
  'wraps exchanged': toAll((m) => {
    const sealed = [...m.known.heard.values()].filter(({ wraps }) => wraps.length > 0);
    if (sealed.length === 0) return [];
    return m.several(2, 40, () => {
      const of = m.chance.pick(sealed);
      const other = m.chance.pick(sealed);
      const false_key = m.chance.bytes(32);
      const choices: (() => readonly Wrap[])[] = [
        () => other.wraps,
        () => [],
        () => of.wraps.map(({ key_id }) => ({ key_id, sealed: m.chance.bytes(48) })),
        () => [wrapUnder(m.key(), of.event_id, false_key)],
        () => [wrapUnder(m.newKey(), of.event_id, false_key)],
        () => [wrapUnder(m.key(), of.event_id, false_key), ...of.wraps].slice(0, limits.wraps_per_event_max),
        () => m.several(16, 16, () => ({ key_id: m.id(), sealed: m.chance.bytes(48) })),
        () => of.wraps.map(({ sealed: bytes }) => ({ key_id: m.newKey().key_id, sealed: bytes })),
      ];
      return eventFrame({ ...of, wraps: m.chance.pick(choices)() });
    });
  }),

  'rewraps asked for': toAll((m) =>
    m.several(5, 40, () => {
      const event_ids = m.several(1, limits.events_per_instruction_max, () =>
        m.chance.holds(0.7) ? (m.heard()?.event_id ?? m.id()) : m.id(),
      );
      return saying('need-rewrap', { event_ids });
    }),
  ),

  'everything asked for, again and again': toAll((m) => {
    const all = [...m.known.heard.keys()];
    const need = Array.from({ length: 500 }, (_, at) => all[at % Math.max(1, all.length)] ?? m.id());
    const kinds: (() => Uint8Array)[] = [
      () => m.request({ need }),
      () => m.request({ need: need.map(() => m.id()) }),
      () => m.request({ message: `61000001${'00'.repeat(16)}` }),
      () => m.request({ message: m.chance.bytes(m.chance.between(1, 3_000)).toHex() }),
      () => m.request({ message: `61${m.several(200, 2_000, () => m.chance.bytes(18).toHex()).join('')}` }),
      () => m.request({ keys: m.several(1, 64, m.id), round: 1_000 }),
      () => m.request({ introduced: true, asker_progress: -1, cut_ms: 0 }),
      () => m.request({ end_groups: [null, m.id()], end_seqs: [0, 1e15], cut_ms: 2 ** 48 }),
      () => m.response({ message: m.chance.bytes(m.chance.between(1, 300)).toHex() }),
      () => m.response({ round: 1_000, cut_ms: 0 }),
      () => saying('sync_refused', { introduced: m.chance.holds(0.5) }),
    ];
    return m.several(4, 20, () => m.chance.pick(kinds)());
  }),

  'a wrong time': toAll((m) =>
    m.several(1, 4, () =>
      m.request({ now_ms: m.now_ms + m.chance.pick([-10, -1, -0.1, 0.1, 1, 10, 100]) * YEAR_MS }),
    ),
  ),

  'what waits for what there is not': toAll((m) => {
    const key = m.key();
    let above = m.id();
    const kinds: ((at: number) => Forged)[] = [
      (at) => m.sealed(plaintextOf('reaction', { message_id: m.id(), emoji: `${at}` }), key),
      (at) => m.sealed(plaintextOf('message', { channel_id: m.id(), text: `${at}` }), key),
      () => m.message(m.newKey()),
      // A chain: each waits for the one before.
      (at) => m.sealed(plaintextOf('reaction', { message_id: above, emoji: `${at}` }), key),
      () => m.inClear('admit', { joiner_id: m.id() }),
      () => m.inClear('grant', { user_id: m.id(), right: 'delete', basis_id: m.id() }),
      () => m.inClear('group-add', { user_id: m.id(), basis_id: null }, { group_id: m.id() }),
    ];
    const items = m.several(20, 300, (at) => {
      const { event_id, item } = m.chance.pick(kinds)(at);
      above = event_id;
      return item;
    });
    return batches(m.chance.shuffled(items), 50);
  }),

  'words under old keys': toAll((m) => {
    const old = [...m.known.keys.values()].filter(({ channel_id }) => channel_id !== null);
    if (old.length === 0) return [];
    return m.several(1, 12, () => {
      const key = old[m.chance.below(Math.ceil(old.length / 2))]!;
      const outlives = m.chance.holds(0.2) ? { expires_ms: NEVER_MS } : {};
      const created_ms = m.now_ms - m.chance.below(m.chance.pick([MINUTE_MS, HOUR_MS, DAY_MS]));
      return frameOf(m.message(key, { created_ms, ...outlives }).item);
    });
  }),

  'every key is dirty': toAll((m) => {
    const held = [...m.known.keys.values()];
    const made_up = m.several(0, 6, () => ({ key_id: m.id(), group_id: m.known.network_id }));
    return batches(
      [...(m.chance.holds(0.5) ? held : held.slice(-3)), ...made_up].map(
        ({ key_id, group_id }) => m.inClear('key-dirty', { key_id }, { group_id }).item,
      ),
      10,
    );
  }),

  'things of a later version': toAll((m) =>
    m.several(1, 6, (at) => {
      const body = encode(new Map([['a', m.chance.below(1e6)]]));
      return frameOf(
        at % 2 === 0
          ? m.sealed(encode(['of-tomorrow', body]), m.key()).item
          : forge(m.header({ type: 'of-tomorrow' }), body, m.signer).item,
      );
    }),
  ),

  'headers without what they are of': toAll((m) =>
    batches(
      [...m.several(1, 20, () => m.message().raw), ...m.recorded(20)].map(({ header, signature }) =>
        encodeHeaderItem(header, signature),
      ),
      10,
    ),
  ),

  'false reports': toAll((m, victims) => {
    const event_ids = [...new Set(m.several(1, 40, () => m.heard()?.event_id ?? m.id()))];
    const a_day = { expires_ms: m.now_ms + DAY_MS };
    const prekey = m.chance.pick([...[...m.known.prekeys.values()].flat(), m.id()]);
    return [
      m.inClear('forgotten', { event_ids }, a_day),
      m.inClear('address', { address: `${m.chance.pick(['alice', 'bob', 'nobody'])}:1024` }),
      ...m.several(1, 30, () => m.inClear('key-request', { key_id: m.id() }, a_day)),
      ...m.several(1, 10, () => m.inClear('key-request', { key_id: m.key().key_id }, a_day)),
      m.inClear('prekey', { public_key: prekey }, a_day),
      m.inClear('admit', { joiner_id: m.chance.pick(victims) }),
    ].map(({ item }) => frameOf(item));
  }),
};

export const KINDS: readonly string[] = Object.keys(DEEDS);

/** What somebody says who knows the network's id and nothing else. */
export function saidByStranger(signer: Signer, network_id: Id, chance: Chance, now_ms: number): Uint8Array[] {
  let seq = 1;
  const header = (more: Partial<Header>) =>
    headerBy(signer, network_id, { created_ms: now_ms, seq: seq++, ...more });
  const inClear = (type: string, body: Body) =>
    forge(header({ type }), encodeBody(typeNamed(type), body), signer);
  const id = () => chance.bytes(32).toHex();
  const device_id = signer.public_key.toHex();
  const unproved = { invite_key: null, invite_proof: null };
  const user = inClear('user', { ...unproved, invite_id: id() });
  const peer = inClear('peer', { ...unproved, invite_id: null, user_id: user.event_id });
  const admissions = [user, peer].map(({ event_id }) => inClear('admit', { joiner_id: event_id }).item);
  const key = newKey(chance.bytes(32), { group_id: network_id, channel_id: network_id });
  const delivery = deliveryOf(key, device_id, id(), chance.bytes(32));
  const words = plaintextOf('message', { channel_id: network_id, text: 'let me in' });
  const request = saying('sync_request', {
    ...requestAt(now_ms),
    message: `61${chance.bytes(40).toHex()}`,
    need: Array.from({ length: 100 }, id),
    now_ms: now_ms + 10 * YEAR_MS,
    introduced: chance.holds(0.5),
  });
  const flood = Array.from(
    { length: chance.between(10, 300) },
    (_, at) =>
      (chance.holds(0.3)
        ? inClear('admit', { joiner_id: id() })
        : inClear('address', { address: `nobody:${at}` })
      ).item,
  );
  return [
    request,
    saying('sync_refused', { introduced: false }),
    frameOf(user.item, peer.item),
    frameOf(...admissions),
    frameOf(inClear('network', { nonce: chance.bytes(16).toHex() }).item),
    frameOf(inClear('key-request', { key_id: id() }).item),
    frameOf(inClear('prekey', { public_key: id() }).item),
    frameOf(inClear('key', delivery).item),
    frameOf(forgeSealed(header({ group_id: network_id }), words, signer, key).item),
    request,
    frameOf(...flood),
    chance.bytes(chance.below(2_000)),
  ];
}
