/** How far something is, told while it goes on: one line on stderr that is written over again and again. Where stderr is no terminal, nothing. */

import { printable, width } from './words.ts';

/** More often nobody can read it. */
const told_every_ms = 100;
const columns_usual = 80;

export interface Progress {
  tell(text: string): void;
  /** Takes the line away. */
  end(): void;
}

export type Terminal = Pick<NodeJS.WriteStream, 'isTTY' | 'columns'> & { write(text: string): unknown };

export function startProgress(
  terminal: Terminal = process.stderr,
  now_ms: () => number = () => performance.now(),
): Progress {
  if (!terminal.isTTY) return { tell: () => {}, end: () => {} };
  let told_ms = Number.NEGATIVE_INFINITY;
  return {
    tell(text) {
      if (now_ms() - told_ms < told_every_ms) return;
      told_ms = now_ms();
      let line = printable(text);
      // A line that wraps could not be written over. Some terminals have no columns: nobody has told them yet.
      const columns = terminal.columns || columns_usual;
      while (line !== '' && width(line) >= columns) line = [...line].slice(0, -1).join('');
      terminal.write(`\r${line}\x1b[K`);
    },
    end() {
      if (told_ms > Number.NEGATIVE_INFINITY) terminal.write('\r\x1b[K');
    },
  };
}
