/** Runs the command line: one command, one answer, one exit code. Whatever goes wrong ends here, in one of two forms. */

import { CommanderError } from 'commander';
import { CliFailure, exit_codes, misused } from './failure.ts';
import { createProgram } from './program.ts';
import { printableLines } from './words.ts';

// `sotto read general | head -1`: whoever read is gone, and has what it wanted.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? exit_codes.ok);
    throw error;
  });
}

try {
  await createProgram().parseAsync();
} catch (thrown) {
  end(thrown);
}

function end(thrown: unknown): void {
  if (thrown instanceof CommanderError && thrown.exitCode === 0) return;
  const { code, message, exit_code } = failureOf(thrown);
  const json = process.argv.slice(2, endOfOptions()).includes('--json');
  if (json) process.stdout.write(`${JSON.stringify({ error: { code, message } })}\n`);
  // The node's words may hold a name that a peer gave itself.
  else process.stderr.write(`sotto: ${printableLines(message, 0)}\n`);
  // Not exit(): that would cut off what a slow pipe has not taken yet.
  process.exitCode = exit_code;
}

function failureOf(thrown: unknown): Pick<CliFailure, 'code' | 'message' | 'exit_code'> {
  if (thrown instanceof CliFailure) return thrown;
  if (thrown instanceof CommanderError) {
    // `sotto network` alone: commander has shown its help already.
    if (thrown.code === 'commander.help') {
      return misused('usage', 'Expected a command after this one. Choose one of the help above.');
    }
    return misused('usage', saidBy(thrown));
  }
  if (thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string') {
    // What `sotto start` refuses with: the node's own errors.
    return { code: thrown.code, message: thrown.message, exit_code: exit_codes.refused };
  }
  throw thrown;
}

/** Its own words, but for what came too many: mostly the words of a text that was not put in quotes. */
function saidBy({ code, message }: CommanderError): string {
  const said = message.replace(/^error: /, '');
  if (code !== 'commander.excessArguments') return said;
  return `${said.replace(/( but got \d+).*$/s, '$1.')} A text of several words goes in quotes.`;
}

function endOfOptions(): number {
  const at = process.argv.indexOf('--', 2);
  return at === -1 ? process.argv.length : at;
}
