/**
 * Commands that come at about the same time share one transaction, and so one wait for the disk. Each stands or falls by itself, and none is answered
 * before what it did is durable.
 */
import type { CommandCall, CommandResult, Engine } from '../../core/engine.ts';

/** Commands in one transaction: some ten milliseconds of work, so that others get their turn. */
const BATCH_MAX = 64;

interface Waiting {
  readonly call: CommandCall;
  readonly resolve: (result: CommandResult) => void;
  readonly reject: (reason: unknown) => void;
}

export class CommandBatches {
  readonly #engine: Engine;
  readonly #waiting: Waiting[] = [];
  #due = false;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Runs a command soon, together with others. Throws what `Engine.command` throws. */
  run(call: CommandCall): Promise<CommandResult> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ call, resolve, reject });
      this.#later();
    });
  }

  /** Runs what waits now: the node is about to end. */
  flush(): void {
    while (this.#waiting.length > 0) this.#runBatch();
  }

  #later(): void {
    if (this.#due) return;
    this.#due = true;
    // After the sockets that are readable now have brought their requests.
    setImmediate(() => {
      this.#due = false;
      this.#runBatch();
      if (this.#waiting.length > 0) this.#later();
    });
  }

  #runBatch(): void {
    const batch = this.#waiting.splice(0, BATCH_MAX);
    try {
      const results = this.#engine.commands(batch.map(({ call }) => call));
      for (const [at, result] of results.entries())
        if ('thrown' in result) batch[at]!.reject(result.thrown);
        else batch[at]!.resolve(result);
    } catch (thrown) {
      // The storage failed: nothing of it happened.
      for (const { reject } of batch) reject(thrown);
    }
  }
}
