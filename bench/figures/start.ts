/** How long people wait for the command line: for its help, and for a node with a long history. */
import { atMost, type Bench, type Figure, type Run, SIZES } from '../figure.ts';
import { timeCommand, timeStart } from '../support/command-line.ts';

/** Once before it counts: Node keeps what it has compiled. */
async function* measureHelp(): AsyncGenerator<Run> {
  await timeCommand('--help');
  for (;;) yield { cli_help_ms: await timeCommand('--help') };
}

async function* measureStart({ stores }: Bench): AsyncGenerator<Run> {
  const data_dir = stores.copy(stores.solo(SIZES['1m']));
  try {
    await timeStart(data_dir);
    for (;;) yield { start_1m_ms: await timeStart(data_dir) };
  } finally {
    stores.drop(data_dir);
  }
}

export const start: readonly Figure[] = [
  {
    values: {
      start_1m_ms: {
        unit: 'ms',
        what: '`sotto start` with 1,000,000 messages, until it accepts connections and answers its API',
        target: atMost(1_000),
      },
    },
    measure: measureStart,
  },
  {
    values: { cli_help_ms: { unit: 'ms', what: '`sotto --help`, a whole process', target: atMost(250) } },
    measure: measureHelp,
  },
];
