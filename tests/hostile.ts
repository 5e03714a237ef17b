/**
 * Frames as a broken or hostile peer might send them, made from valid ones: random, cut short, with flipped bits, forged.
 */
import { encode } from '../core/cbor.ts';
import type { Header } from '../core/envelope.ts';
import {
  decodeHeader,
  encodeBody,
  encodeEventItem,
  encodeFrame,
  encodeHeader,
  encodeTransientItem,
  eventIdOf,
} from '../core/event-codec.ts';
import type { Id } from '../core/fields.ts';
import { blake2b256 } from '../crypto/hash.ts';
import { type Signer, signerFromSeed } from '../crypto/sign.ts';
import { quietProtocol, seededRandom, type TestNode } from './support.ts';

/** Signs an event of any header with any key, as no honest node would. */
export function forge(header: Header, body: Uint8Array, signer: Signer): { event_id: Id; item: Uint8Array } {
  const full: Header = { ...header, body_hash: blake2b256(body).toHex() };
  const bytes = encodeHeader(full);
  const event_id = eventIdOf(full.created_ms, blake2b256(bytes));
  return {
    event_id,
    item: encodeEventItem({ header: bytes, signature: signer.sign(Uint8Array.fromHex(event_id)), body }),
  };
}

export interface Raw {
  readonly header: Uint8Array;
  readonly signature: Uint8Array;
  readonly body: Uint8Array;
}

export function storedEvents(node: TestNode): Raw[] {
  return node.all(
    'SELECT header, signature, body FROM event WHERE body IS NOT NULL ORDER BY id',
  ) as unknown as Raw[];
}

/** `count` frames that no node may take anything from. `network_id` and `author` are what a hostile member knows. */
export function* hostileFrames(
  valid: readonly Raw[],
  count: number,
  seed: number,
): Generator<{ kind: string; frame: Uint8Array }> {
  const random = seededRandom(seed);
  const below = (limit: number) => new DataView(random.bytes(4).buffer).getUint32(0) % limit;
  const stranger = signerFromSeed(random.bytes(32));
  const message = valid.find((raw) => decodeHeader(raw.header).type === 'message') ?? valid[0]!;
  const header = decodeHeader(message.header);
  const local = ['keypair', 'session', 'notification', 'release-waiting', 'clock-witness', 'dial-hint'];
  const makers: readonly (readonly [string, () => Uint8Array])[] = [
    ['random', () => random.bytes(below(400))],
    ['random items', () => encodeFrame([random.bytes(1 + below(200))])],
    ['truncated', () => whole().slice(0, below(whole().length))],
    ['extended', () => Uint8Array.from([...whole(), ...random.bytes(1 + below(20))])],
    ['bit flipped', () => flipped(whole())],
    ['header flipped', () => encodeFrame([encodeEventItem({ ...pick(), header: flipped(pick().header) })])],
    [
      'signature flipped',
      () =>
        encodeFrame([
          encodeEventItem({ ...message, signature: flipped(message.signature), header: fresh() }),
        ]),
    ],
    [
      'body exchanged',
      () => encodeFrame([encodeEventItem({ ...message, header: fresh(), body: random.bytes(30) })]),
    ],
    [
      'signed by another',
      () =>
        encodeFrame([
          forge({ ...header, created_ms: header.created_ms + below(1e6) }, message.body, stranger).item,
        ]),
    ],
    [
      'a stranger as author',
      () =>
        encodeFrame([
          forge(
            { ...header, author: stranger.public_key.toHex(), network_id: '00'.repeat(32) },
            message.body,
            stranger,
          ).item,
        ]),
    ],
    [
      'a local type',
      () => encodeFrame([encodeTransientItem(local[below(local.length)]!, random.bytes(below(30)))]),
    ],
    ['an unsigned event', () => encodeFrame([encodeTransientItem('message', message.body)])],
    ['an unknown transient', () => encodeFrame([encodeTransientItem('no_such_thing', new Uint8Array())])],
    [
      'a bad sync request',
      () =>
        encodeFrame([encodeTransientItem('sync_request', encode(new Map([['message', random.bytes(5)]])))]),
    ],
    [
      'a bad reconciliation',
      () => encodeFrame([encodeTransientItem('sync_response', syncResponse(random.bytes(1 + below(60))))]),
    ],
    [
      'an event too large',
      () => encodeFrame([encodeEventItem({ ...message, header: fresh(), body: new Uint8Array(70_000) })]),
    ],
  ];
  const type = quietProtocol.types.get('sync_response')!.value;
  function syncResponse(bytes: Uint8Array): Uint8Array {
    const body = {
      message: bytes.toHex(),
      cut_ms: header.created_ms,
      round: 0,
      asker_progress: 0,
      answerer_progress: 0,
      answerer_progressed: true,
    };
    return encodeBody(type, body);
  }
  const pick = () => valid[below(valid.length)]!;
  const whole = () => encodeFrame([encodeEventItem(message)]);
  const fresh = () => encodeHeader({ ...header, seq: header.seq + 1 + below(1e6) });
  const flipped = (bytes: Uint8Array) => {
    const copy = bytes.slice();
    const bit = below(copy.length * 8);
    copy[bit >> 3]! ^= 1 << (bit & 7);
    return copy;
  };
  for (let made = 0; made < count; made++) {
    const [kind, make] = makers[made % makers.length]!;
    yield { kind, frame: make() };
  }
}
