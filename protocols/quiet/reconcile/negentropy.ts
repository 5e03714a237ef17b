/**
 * Range-based set reconciliation: the messages of the Negentropy protocol, version 1, over the ids that each side has in order of time.
 *
 * A message is a list of ranges that together cover everything. A range says "skip", or gives the fingerprint of what its sender has in it, or
 * lists the ids. Equal fingerprints end a range; different ones split it or list it. No state is kept between messages.
 * The sets themselves stay in the database behind `ItemSource`.
 */
import { SottoError } from '../../../core/assert.ts';
import type { Id } from '../../../core/fields.ts';

export const PROTOCOL_VERSION = 0x61;
const MODE_SKIP = 0;
const MODE_FINGERPRINT = 1;
const MODE_ID_LIST = 2;
const FINGERPRINT_BYTES = 16;
/** Parts into which a range that differs is split. */
const BUCKETS = 16;
/** Ranges with fewer items are listed instead of split. */
const LIST_BELOW = BUCKETS * 2;
/** Ids one message lists at the most, per range; where there are more, the range is split. */
export const IDS_LISTED_MAX = 500;
/** Ids that are known, of all ranges together that are to be fetched but for these. */
export const FEW_IDS_MAX = 512;
/** Ranges one message may have: a bound on what a hostile message can make us compute. */
const RANGES_MAX = 4096;
/** Bytes of an answer beyond which all that follows becomes one range, to be gone into later. With what one range can still add to it, it stays far below both bounds. */
const ANSWER_BYTES_FULL = 32 * 1024;

/** Ids from `lower` on and below `upper`, both in hex and of any length up to 64 digits: they compare as texts. `upper` null: to the end. */
export interface Range {
  readonly lower: string;
  readonly upper: string | null;
}

/** What one side has, in the order of ids. */
export interface ItemSource {
  /**
   * How many ids there are, and their fingerprint: the first 16 bytes, in hex, of SHA-256 over the sum of the ids (mod 2^256, little-endian) and the
   * varint of their number.
   */
  summary(range: Range): { readonly count: number; readonly fingerprint: string };
  /** The first `limit` ids of the range. */
  ids(range: Range, limit: number): readonly Id[];
  /**
   * Ids of the range that are known and yet not in the set (deleted, refused, waiting): listed with the others, so that nobody sends
   * them, but neither counted nor offered.
   */
  alsoKnown(range: Range, limit: number): readonly Id[];
  /** Bounds within the range, in order, that cut it into about `parts` parts of about equal size. */
  split(range: Range, parts: number): readonly string[];
  /** Bounds, in order, that cut everything into parts that grow smaller and smaller towards the newest, the last one behind all. */
  tail(): readonly string[];
}

export interface Reconciled {
  /** The answer to send, or null when there is nothing left to say. */
  readonly answer: Uint8Array | null;
  /** Ids that we have and the other side lacks, and the other way round; as far as this message tells. */
  readonly have: readonly Id[];
  readonly need: readonly Id[];
  /** Ranges that differ and of which we know few ids or none: to be fetched. Told to the initiator only, and not gone into any further. */
  readonly few: readonly Range[];
}

/** The message that opens a round: one fingerprint over everything. Two peers that agree exchange this and nothing else. */
export function openingMessage(items: ItemSource): Uint8Array {
  const writer = new Writer();
  writer.byte(PROTOCOL_VERSION);
  writer.bound(null);
  writer.varint(MODE_FINGERPRINT);
  writer.hex(items.summary({ lower: '', upper: null }).fingerprint);
  return writer.bytes();
}

/**
 * Takes in the other side's message. `initiator` is the side that opened the round: it is told what differs, and does not list again what was
 * listed to it. Throws `SottoError('bad_reconciliation')` for what is no such message.
 */
export function reconcile(items: ItemSource, message: Uint8Array, initiator: boolean): Reconciled {
  const reader = new Reader(message);
  if (reader.byte() !== PROTOCOL_VERSION)
    throw new SottoError('bad_reconciliation', 'Expected a message of protocol version 1.');
  const writer = new Writer();
  writer.byte(PROTOCOL_VERSION);
  const have: Id[] = [];
  const need: Id[] = [];
  const few: Range[] = [];
  let few_ids = 0;
  const hasFew = (range: Range, count: number): boolean => {
    if (count >= LIST_BELOW) return false;
    const ids = few_ids + count + items.alsoKnown(range, FEW_IDS_MAX).length;
    if (ids > FEW_IDS_MAX) return false;
    few_ids = ids;
    return true;
  };
  let lower = '';
  let skipping = false;
  let said_anything = false;
  let ended = false;
  for (let ranges = 0; !reader.done; ranges++) {
    if (ranges >= RANGES_MAX)
      throw new SottoError('bad_reconciliation', `Expected ${RANGES_MAX} ranges at most.`);
    if (ended) throw new SottoError('bad_reconciliation', 'Expected nothing after the last range.');
    const upper = reader.bound();
    ended = upper === null;
    if (upper !== null && upper < lower)
      throw new SottoError('bad_reconciliation', 'Expected ranges in order.');
    const range: Range = { lower, upper };
    const speak = () => {
      if (skipping) {
        writer.bound(range.lower);
        writer.varint(MODE_SKIP);
        skipping = false;
      }
      said_anything = true;
    };
    const mode = reader.varint();
    if (writer.length > ANSWER_BYTES_FULL) {
      speak();
      return { answer: withTheRest(items, range.lower, writer), have, need, few };
    }
    if (mode === MODE_SKIP) {
      skipping = true;
    } else if (mode === MODE_FINGERPRINT) {
      const theirs = reader.hex(FINGERPRINT_BYTES);
      const { count, fingerprint } = items.summary(range);
      if (theirs === fingerprint) {
        skipping = true;
      } else if (initiator && hasFew(range, count)) {
        const last = few.at(-1);
        if (last?.upper === range.lower) few.splice(-1, 1, { lower: last.lower, upper });
        else few.push(range);
        skipping = true;
      } else {
        speak();
        splitRange(items, range, count, writer);
      }
    } else if (mode === MODE_ID_LIST) {
      const theirs = new Set(reader.idList());
      const ours = items.ids(range, IDS_LISTED_MAX + 1);
      const known = items.alsoKnown(range, IDS_LISTED_MAX);
      const before = have.length;
      for (const id of ours) {
        if (!theirs.delete(id)) have.push(id);
      }
      const offered = have.length - before;
      for (const id of known) theirs.delete(id);
      need.push(...theirs);
      if (initiator) {
        skipping = true;
      } else {
        speak();
        if (ours.length <= IDS_LISTED_MAX) {
          writer.bound(upper);
          writer.idList([...ours, ...known]);
        } else {
          // The other side has few and lacks many: where it has nothing, it fetches all.
          have.length -= offered;
          splitRange(items, range, items.summary(range).count, writer);
        }
      }
    } else {
      throw new SottoError('bad_reconciliation', 'Expected a range to be skipped, a fingerprint or a list.');
    }
    lower = upper ?? lower;
  }
  return { answer: said_anything ? writer.bytes() : null, have, need, few };
}

/** Ends an answer with all that is left as one range. Where it is alike the round ends with it; what was not gone into is found in the next. */
function withTheRest(items: ItemSource, lower: string, writer: Writer): Uint8Array {
  writer.bound(null);
  writer.varint(MODE_FINGERPRINT);
  writer.hex(items.summary({ lower, upper: null }).fingerprint);
  return writer.bytes();
}

function splitRange(items: ItemSource, range: Range, count: number, writer: Writer): void {
  const list = (part: Range) => {
    writer.bound(part.upper);
    writer.idList([...items.ids(part, LIST_BELOW), ...items.alsoKnown(part, IDS_LISTED_MAX)]);
  };
  if (count < LIST_BELOW) {
    list(range);
    return;
  }
  // Two peers that have met before differ in what is newest.
  const is_all = range.lower === '' && range.upper === null;
  const bounds = is_all ? items.tail() : items.split(range, BUCKETS);
  let lower = range.lower;
  for (const upper of [...bounds, range.upper]) {
    const part = { lower, upper };
    const summary = items.summary(part);
    // Nothing is said in fewer bytes than its fingerprint, and answered at once.
    if (summary.count === 0) list(part);
    else {
      writer.bound(upper);
      writer.varint(MODE_FINGERPRINT);
      writer.hex(summary.fingerprint);
    }
    lower = upper ?? '';
  }
}

const TIME_DIGITS = 12;

/**
 * A bound is a time and a prefix of an id. Our ids begin with their time, so that one text says both: the digits of the time, then the rest
 * of the prefix.
 */
class Writer {
  readonly #bytes: number[] = [];
  #last_time = 0;

  get length(): number {
    return this.#bytes.length;
  }
  byte(value: number): void {
    this.#bytes.push(value);
  }

  hex(value: string): void {
    for (const byte of Uint8Array.fromHex(value)) this.#bytes.push(byte);
  }

  varint(value: number): void {
    const digits = [value % 128];
    for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128))
      digits.push((rest % 128) | 0x80);
    this.#bytes.push(...digits.reverse());
  }

  bound(bound: string | null): void {
    if (bound === null) {
      this.varint(0);
      this.varint(0);
      return;
    }
    const time = Number.parseInt(bound.slice(0, TIME_DIGITS).padEnd(TIME_DIGITS, '0'), 16);
    this.varint(time - this.#last_time + 1);
    this.#last_time = time;
    const prefix = bound.length > TIME_DIGITS ? bound : '';
    this.varint(prefix.length / 2);
    this.hex(prefix);
  }

  idList(ids: readonly Id[]): void {
    this.varint(MODE_ID_LIST);
    this.varint(ids.length);
    for (const id of ids) this.hex(id);
  }

  bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;
  #last_time = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  byte(): number {
    const value = this.#bytes[this.#at];
    if (value === undefined) throw new SottoError('bad_reconciliation', 'It ends early.');
    this.#at += 1;
    return value;
  }

  hex(length: number): string {
    if (length > this.#bytes.length - this.#at) throw new SottoError('bad_reconciliation', 'It ends early.');
    const value = this.#bytes.subarray(this.#at, this.#at + length).toHex();
    this.#at += length;
    return value;
  }

  varint(): number {
    let value = 0;
    for (let digits = 0; digits < 8; digits++) {
      const byte = this.byte();
      value = value * 128 + (byte & 127);
      if (byte < 128) {
        if (!Number.isSafeInteger(value)) break;
        return value;
      }
    }
    throw new SottoError('bad_reconciliation', 'Expected a number in the safe range.');
  }

  bound(): string | null {
    const delta = this.varint();
    const length = this.varint();
    if (length > 32) throw new SottoError('bad_reconciliation', 'Expected a prefix of 32 bytes at most.');
    const prefix = this.hex(length);
    if (delta === 0) return null;
    const time = this.#last_time + delta - 1;
    this.#last_time = time;
    if (time >= 2 ** 48) return null;
    const digits = time.toString(16).padStart(TIME_DIGITS, '0');
    // Prefixes that do not begin with their time cannot come from ids like ours: such a bound lies before or after all ids of that time.
    if (prefix <= digits || digits.startsWith(prefix)) return digits;
    return prefix.startsWith(digits) ? prefix : (time + 1).toString(16).padStart(TIME_DIGITS, '0');
  }

  idList(): Id[] {
    const count = this.varint();
    if (count * 32 > this.#bytes.length - this.#at)
      throw new SottoError('bad_reconciliation', 'It ends early.');
    return Array.from({ length: count }, () => this.hex(32));
  }
}
