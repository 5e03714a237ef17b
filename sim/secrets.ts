/**
 * What only a simulation can know: every secret that any machine ever kept, and every nonce that was ever used under any key. It listens where these
 * are written and used, and changes nothing.
 */
import { sodium } from '../crypto/sodium.ts';
import { violated } from './truth.ts';

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

/** Secrets of one machine, from the moment they are written into a slot. */
export class Secrets {
  readonly #kept = new Map<string, Uint8Array>();

  keep(secret: Uint8Array): void {
    this.#kept.set(textOf(secret), secret.slice());
  }

  has(bytes: Uint8Array): boolean {
    return this.#kept.has(textOf(bytes));
  }

  /** Those that are in no slot any more, each told once. */
  takeGone(in_slots: readonly Uint8Array[]): Uint8Array[] {
    const still = new Set(in_slots.map(textOf));
    const gone = [...this.#kept].filter(([text]) => !still.has(text));
    for (const [text] of gone) this.#kept.delete(text);
    return gone.map(([, secret]) => secret);
  }
}

const WINDOW = 8;

/**
 * Whether any eight bytes in a row of any of these secrets are in a file. One pass over it: the last two bytes tell mostly that there are none, and only
 * where they might be is looked at more closely.
 */
export function isTraceIn(file: Uint8Array, secrets: readonly Uint8Array[]): boolean {
  const may_end = new Uint8Array(65_536);
  const windows = new Set<string>();
  for (const secret of secrets)
    for (let end = WINDOW; end <= secret.length; end++) {
      may_end[(secret[end - 2]! << 8) | secret[end - 1]!] = 1;
      windows.add(textOf(secret.subarray(end - WINDOW, end)));
    }
  for (let end = WINDOW; end <= file.length; end++)
    if (
      may_end[(file[end - 2]! << 8) | file[end - 1]!] === 1 &&
      windows.has(textOf(file.subarray(end - WINDOW, end)))
    )
      return true;
  return false;
}

type Seal = (
  sealed: Uint8Array,
  message: Uint8Array,
  associated_data: Uint8Array | null,
  secret_nonce: null,
  nonce: Uint8Array,
  key: Uint8Array,
) => number;

const library = sodium as unknown as { crypto_aead_xchacha20poly1305_ietf_encrypt: Seal };
const seal = library.crypto_aead_xchacha20poly1305_ietf_encrypt;

let is_forging = false;
/** What somebody hostile seals under keys that she knows is her affair. */
export function unwatched<T>(run: () => T): T {
  is_forging = true;
  try {
    return run();
  } finally {
    is_forging = false;
  }
}

/** S13: under one key no nonce ever seals two things. Returns what ends the listening. */
export function watchNonces(note: (thrown: unknown) => void): () => void {
  const sealed_with = new Map<string, string>();
  library.crypto_aead_xchacha20poly1305_ietf_encrypt = (sealed, message, data, secret_nonce, nonce, key) => {
    if (is_forging) return seal(sealed, message, data, secret_nonce, nonce, key);
    const place = textOf(key) + textOf(nonce);
    const what = textOf(message);
    const before = sealed_with.get(place);
    if (before === undefined) sealed_with.set(place, what);
    else if (before !== what) {
      try {
        violated('S13', 'one nonce sealed two things under one key');
      } catch (thrown) {
        note(thrown);
      }
    }
    return seal(sealed, message, data, secret_nonce, nonce, key);
  };
  return () => {
    library.crypto_aead_xchacha20poly1305_ietf_encrypt = seal;
  };
}
