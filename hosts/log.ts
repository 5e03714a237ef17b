/** One line for the log of a node: words and short ids, never content. */
export type Log = (
  level: 'info' | 'warn' | 'error',
  event: string,
  details: Readonly<Record<string, unknown>>,
) => void;
