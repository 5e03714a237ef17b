/** How ten nodes that all speak at once come to have the same: in a chain, where each passes on what it hears, and where everybody knows everybody. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { atMost, type Bench, type Figure, type Run } from '../figure.ts';
import { nowMs } from '../support/clock.ts';
import { chain, manyNodes, mesh, type Shape } from '../support/many-nodes.ts';
import type { BenchNode } from '../support/nodes.ts';
import { allAgree, allThere } from '../support/syncing.ts';
import { digits } from '../table.ts';

const NODES = 10;
/** All of them together. */
const MESSAGES = 10_000;
/** Each has so many commands under way at a time. */
const AT_ONCE = 32;
const LOOK_EVERY_MS = 50;

function figureOf(name: 'chain' | 'mesh', shape: Shape, what: string): Figure {
  const [took, copies] = [`${name}_10_s`, `${name}_10_copies`];

  async function* measure({ folder, say }: Bench): AsyncGenerator<Run> {
    const place = join(folder, name);
    mkdirSync(place);
    const nodes = await manyNodes({ folder: place, count: NODES, shape, say });
    try {
      for (let said = 0; ; said += MESSAGES) {
        const before = await duplicates(nodes);
        const begun = nowMs();
        const all = said + MESSAGES;
        const shown = nodes.map((node) => allThere(node.database, all, { every_ms: LOOK_EVERY_MS }));
        const each = MESSAGES / NODES;
        const sent = nodes.map((node, number) =>
          node.tell.sendConcurrent(said + number * each, each, AT_ONCE),
        );
        await Promise.all(sent);
        say(`all are said after ${Math.round((nowMs() - begun) / 1_000)} s`);
        const done_ms = Math.max(...(await Promise.all(shown)));
        await allAgree(nodes);
        // Everybody but its author receives a message at least once.
        const received = MESSAGES * (NODES - 1);
        yield {
          [took]: (done_ms - begun) / 1_000,
          [copies]: 1 + ((await duplicates(nodes)) - before) / received,
        };
      }
    } finally {
      for (const node of nodes) await node.stop();
      rmSync(place, { recursive: true, force: true });
    }
  }

  return {
    values: {
      [took]: {
        unit: 's',
        what: `${digits(MESSAGES)} messages, as many by each of ten nodes ${what}`,
        target: atMost(30),
      },
      [copies]: {
        unit: 'copies',
        what: 'how often a message comes to a node, on average',
        target: name === 'mesh' ? atMost(1.2) : null,
      },
    },
    measure,
  };
}

/** Events that came to somebody who had them, all nodes together. */
async function duplicates(nodes: readonly BenchNode[]): Promise<number> {
  const counted = await Promise.all(nodes.map(async (node) => (await node.facade.status()).counters));
  return counted.reduce((sum, { duplicate }) => sum + (duplicate ?? 0), 0);
}

export const ten: readonly Figure[] = [
  figureOf('chain', chain, 'in a chain'),
  figureOf('mesh', mesh, 'that are all connected with each other'),
];
