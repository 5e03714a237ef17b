/**
 * SQLite's own judgement of what a statement does, taken while it compiles. Installed once per connection and for good:
 * SQLite recompiles every statement of a connection whenever an authorizer is installed.
 */

import { constants, type DatabaseSync } from 'node:sqlite';

/** `free` only watches, `no_writing` denies changes but not transactions, `reading` denies all but reading. */
export type CompileMode = 'free' | 'no_writing' | 'reading';

const reading_actions = new Set<number>([
  constants.SQLITE_SELECT,
  constants.SQLITE_READ,
  constants.SQLITE_FUNCTION,
  constants.SQLITE_RECURSIVE,
]);
const transaction_actions = new Set<number>([constants.SQLITE_TRANSACTION, constants.SQLITE_SAVEPOINT]);

export interface Authorizer {
  /** Runs `compile` under `mode`. */
  watch<Result>(mode: CompileMode, compile: () => Result): Result;
  /** Whether the last `watch` met anything beyond reading and transactions, allowed or denied. */
  sawWriting(): boolean;
}

export function installAuthorizer(raw: DatabaseSync): Authorizer {
  let mode: CompileMode = 'free';
  let saw_writing = false;

  raw.setAuthorizer((action) => {
    if (reading_actions.has(action)) return constants.SQLITE_OK;
    const is_transaction = transaction_actions.has(action);
    saw_writing ||= !is_transaction;
    if (mode === 'free' || (mode === 'no_writing' && is_transaction)) return constants.SQLITE_OK;
    return constants.SQLITE_DENY;
  });

  return {
    watch(wanted_mode, compile) {
      mode = wanted_mode;
      saw_writing = false;
      try {
        return compile();
      } finally {
        mode = 'free';
      }
    },
    sawWriting: () => saw_writing,
  };
}
