/**
 * The device keys of this node's identities, opened from their slots into locked memory for as long as the node runs: sessions prove with them
 * who they are.
 */
import type { Db } from '../../core/db.ts';
import type { Engine } from '../../core/engine.ts';
import type { Identity } from '../../core/envelope.ts';
import { signerFromSeed } from '../../crypto/sign.ts';
import type { LocalDevice } from '../../transport/noise.ts';

export class Devices {
  readonly #engine: Engine;
  readonly #secret: ReturnType<Db['prepare']>;
  readonly #open = new Map<Identity, LocalDevice>();

  constructor(engine: Engine, db: Db) {
    this.#engine = engine;
    this.#secret = db.prepare('SELECT secret FROM key_slot WHERE id = :slot');
  }

  /** The device of an identity; null while it has no network. */
  of(identity: Identity): LocalDevice | null {
    const known = this.#open.get(identity);
    if (known !== undefined) return known;
    const row = this.#engine.identity(identity);
    if (row === null || row.network_id === null) return null;
    const secret = this.#secret.get({ slot: row.slot })?.secret as Uint8Array;
    const device: LocalDevice = {
      network_id: Uint8Array.fromHex(row.network_id),
      signer: signerFromSeed(secret),
    };
    secret.fill(0);
    this.#open.set(identity, device);
    return device;
  }

  close(): void {
    for (const device of this.#open.values()) device.signer.destroy();
    this.#open.clear();
  }
}
