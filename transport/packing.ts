/**
 * How a frame travels: ids that stand in it more than once (of the network, of authors, of keys) are written once, and then pointed at. Nothing but
 * these is made smaller: all else is ciphertext, hashes and signatures.
 *
 *     packed = run* rest        run = varint(length) bytes varint(distance)        rest = varint(length) bytes
 *
 * Behind the bytes of a run stand the 32 that begin `distance` bytes before that place. Varints have seven bits a byte, the highest first.
 */
import { limits } from '../core/limits.ts';

const ID_BYTES = 32;
/** The head of a byte string of 32 bytes in CBOR. */
const HEAD = [0x58, ID_BYTES] as const;
const VARINT_BYTES_MAX = 4;

export function pack(frame: Uint8Array): Uint8Array {
  const packed = new Uint8Array(frame.length + VARINT_BYTES_MAX + 1);
  let length = 0;
  const varint = (value: number) => {
    for (let shift = 21; shift > 0; shift -= 7)
      if (value >> shift > 0) packed[length++] = ((value >> shift) & 127) | 128;
    packed[length++] = value & 127;
  };
  const run = (from: number, to: number) => {
    varint(to - from);
    packed.set(frame.subarray(from, to), length);
    length += to - from;
  };
  const places = new Map<string, number>();
  let done = 0;
  for (let at = frame.indexOf(HEAD[0]); at !== -1; at = frame.indexOf(HEAD[0], at)) {
    const place = at + HEAD.length;
    at += 1;
    if (frame[place - 1] !== HEAD[1] || place + ID_BYTES > frame.length) continue;
    const id = frame.subarray(place, place + ID_BYTES).toHex();
    const before = places.get(id);
    places.set(id, place);
    at = place + ID_BYTES;
    if (before === undefined) continue;
    run(done, place);
    varint(place - before);
    done = at;
  }
  run(done, frame.length);
  return packed.subarray(0, length);
}

/** The frame, or null where that is none, or one of more than `limits.frame_bytes_max`. */
export function unpack(packed: Uint8Array): Uint8Array | null {
  const length = unpackedLength(packed);
  if (length === null) return null;
  const frame = new Uint8Array(length);
  let done = 0;
  const reader = new Reader(packed);
  while (!reader.ended) {
    const run = reader.run();
    frame.set(run, done);
    done += run.length;
    if (reader.ended) break;
    const from = done - reader.varint();
    frame.copyWithin(done, from, from + ID_BYTES);
    done += ID_BYTES;
  }
  return frame;
}

/** What it says is checked before anything is allocated for it. */
function unpackedLength(packed: Uint8Array): number | null {
  const reader = new Reader(packed);
  let length = 0;
  for (;;) {
    length += reader.run().length;
    if (reader.failed || length > limits.frame_bytes_max) return null;
    if (reader.ended) return length;
    const distance = reader.varint();
    // A run follows each id, be it empty.
    if (reader.failed || reader.ended || distance < ID_BYTES || distance > length) return null;
    length += ID_BYTES;
  }
}

class Reader {
  failed = false;
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get ended(): boolean {
    return this.#at >= this.#bytes.length;
  }

  varint(): number {
    let value = 0;
    for (let digits = 0; digits < VARINT_BYTES_MAX; digits++) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) break;
      value = value * 128 + (byte & 127);
      if (byte < 128) return value;
    }
    this.failed = true;
    return 0;
  }

  run(): Uint8Array {
    const length = this.varint();
    const run = this.#bytes.subarray(this.#at, this.#at + length);
    if (run.length !== length) this.failed = true;
    this.#at += length;
    return run;
  }
}
