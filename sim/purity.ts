/**
 * S15: jobs, reflectors, commands and projectors are functions of what they ask, of their input, the time, and chance. So each is run twice here, on the
 * same rows and with the same chance, and has to return the same, byte for byte.
 */
import type { Random } from '../core/clock.ts';
import type { PureRunner } from '../core/pure.ts';
import { Violation } from './truth.ts';

/** Chance that can be had once more. */
export class Tape implements Random {
  readonly #source: Random;
  #recorded: Uint8Array[] | null = null;
  #replayed: Uint8Array[] | null = null;

  constructor(source: Random) {
    this.#source = source;
  }

  bytes(length: number): Uint8Array {
    const again = this.#replayed?.shift();
    // Another length than before: another run than before, whatever it gets.
    if (this.#replayed !== null) return again?.length === length ? again.slice() : new Uint8Array(length);
    const bytes = this.#source.bytes(length);
    this.#recorded?.push(bytes.slice());
    return bytes;
  }

  /** Runs it twice, with the same chance; what goes on from here is as if it had been run once. */
  twice<T>(run: () => T): readonly [T, T] {
    this.#recorded = [];
    try {
      const first = run();
      this.#replayed = this.#recorded;
      return [first, run()];
    } finally {
      this.#recorded = null;
      this.#replayed = null;
    }
  }
}

/** The first times that one of them runs, and then one of so many: what it asks costs as much each time. */
const ALWAYS = 6;
const EVERY = 16;

/** Has the functions of one process run twice; `note` is told where the second time is not like the first. */
export function runTwice(pure: PureRunner, tape: Tape, who: string, note: (found: Violation) => void): void {
  const runs = new Map<string, number>();
  const checked =
    <A extends readonly [{ readonly name: string }, ...unknown[]], T>(kind: string, run: (...args: A) => T) =>
    (...args: A): T => {
      const name = `${kind} ${args[0].name}`;
      const count = runs.get(name) ?? 0;
      runs.set(name, count + 1);
      if (count >= ALWAYS && count % EVERY !== 0) return run(...args);
      const [first, second] = tape.twice(() => run(...args));
      if (bytesOf(first) !== bytesOf(second))
        note(new Violation('S15', `${who}: ${name} returns something else the second time`));
      return first;
    };
  pure.job = checked('job', pure.job.bind(pure));
  pure.reflector = checked('reflector', pure.reflector.bind(pure));
  pure.command = checked('command', pure.command.bind(pure));
  pure.project = checked('projector', pure.project.bind(pure));
  pure.brokenRule = checked('rules', pure.brokenRule.bind(pure));
}

/** Everything in it, in its order. Types are known by their names. */
function bytesOf(value: unknown): string {
  return JSON.stringify(value, (key, inner: unknown) => {
    if (inner instanceof Uint8Array) return inner.toHex();
    if (key === 'type' && typeof inner === 'object' && inner !== null && 'name' in inner) return inner.name;
    return inner;
  });
}
