/**
 * Errors and assertions. Bugs assert and crash; bad input becomes a `SottoError` with a stable `code` and a message
 * that says what was expected, what came, and what to do. Neither ever carries a secret or message text.
 */

/** An error that a person or a program can act on. `code` is snake_case and stable; `message` is for people. */
export class SottoError extends Error {
  readonly code: string;
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SottoError';
    this.code = code;
  }
}

/** Stops on a bug of ours: a condition that no input may ever make false. */
export function assert(condition: unknown, claim: string): asserts condition {
  if (!condition) throw new SottoError('assertion_failed', `This cannot be, and yet it is not so: ${claim}`);
}

/** Class and place of a foreign exception. Never its message: that may quote content or secrets. */
export interface ErrorPlace {
  readonly error_class: string;
  readonly error_place: string;
}

/** Reduces anything thrown to what may be stored or printed: its class (or our own code) and where it was thrown. */
export function placeOf(thrown: unknown): ErrorPlace {
  if (!(thrown instanceof Error)) return { error_class: typeof thrown, error_place: 'unknown' };
  const error_class = thrown instanceof SottoError ? thrown.code : thrown.name;
  const frame = thrown.stack?.split('\n').find((line) => /^\s+at /.test(line)) ?? '';
  const place = /\(?((?:file:\/\/)?[^\s()]+:\d+:\d+)\)?$/.exec(frame.trim());
  return { error_class, error_place: place?.[1]?.replace(/^file:\/\//, '') ?? 'unknown' };
}
