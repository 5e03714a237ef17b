/**
 * The device keys of this node's identities, opened from their slots into locked memory for as long as the node runs: sessions prove with them
 * who they are.
 */
import type { Db, Statement } from '../core/db.ts';
import type { Engine } from '../core/engine.ts';
import type { Identity } from '../core/envelope.ts';
import { wipe } from '../crypto/bytes.ts';
import { signerFromSeed } from '../crypto/sign.ts';
import { readSlot, type SlotReader } from '../protocols/quiet/handlers/key-slot.ts';
import type { LocalDevice } from '../transport/noise.ts';

export class Devices {
  readonly #engine: Engine;
  readonly #slots: SlotReader;
  readonly #open = new Map<Identity, LocalDevice>();

  constructor(engine: Engine, db: Db) {
    this.#engine = engine;
    const statements = new Map<string, Statement>();
    const statement = (sql: string): Statement => {
      const prepared = statements.get(sql) ?? db.prepare(sql);
      statements.set(sql, prepared);
      return prepared;
    };
    this.#slots = { db, statement };
  }

  /** The device of an identity; null while it has no network. */
  of(identity: Identity): LocalDevice | null {
    const known = this.#open.get(identity);
    if (known !== undefined) return known;
    const row = this.#engine.identity(identity);
    if (row === null || row.network_id === null) return null;
    const secret = readSlot(this.#slots, row.slot);
    const device: LocalDevice = {
      network_id: Uint8Array.fromHex(row.network_id),
      signer: signerFromSeed(secret),
    };
    wipe(secret);
    this.#open.set(identity, device);
    return device;
  }

  /** Lets go of the key of an identity that is to be erased. */
  forget(identity: Identity): void {
    this.#open.get(identity)?.signer.destroy();
    this.#open.delete(identity);
  }

  close(): void {
    for (const device of this.#open.values()) device.signer.destroy();
    this.#open.clear();
  }
}
