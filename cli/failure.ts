/** How the CLI fails: an error with the code that `--json` prints and the exit code that a script sees. */

/** Documented in `sotto --help`; scripts rely on them. */
export const exit_codes = {
  ok: 0,
  refused: 1,
  usage: 2,
  unreachable: 3,
  /** Answered, and the answer is: not everything is forgotten yet. */
  owed: 4,
  /** Answered, and the answer is: something is wrong. */
  wrong: 5,
} as const;

export class CliFailure extends Error {
  readonly code: string;
  readonly exit_code: number;
  constructor(code: string, message: string, exit_code: number) {
    super(message);
    this.code = code;
    this.exit_code = exit_code;
  }
}

/** The node understood, and says no. */
export function refused(code: string, message: string): CliFailure {
  return new CliFailure(code, message, exit_codes.refused);
}

/** The command line is wrong. */
export function misused(code: string, message: string): CliFailure {
  return new CliFailure(code, message, exit_codes.usage);
}

/** There is no node, or none that answers. */
export function unreachable(code: string, message: string): CliFailure {
  return new CliFailure(code, message, exit_codes.unreachable);
}
