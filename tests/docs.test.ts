import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { loadJobs } from '../core/config.ts';
import { assembleProtocol } from '../core/protocol.ts';
import { readProtocolFolder } from '../hosts/node/protocol-folder.ts';
import { quiet } from '../protocols/quiet/registry.gen.ts';
import { foundNetwork, joinNetwork, TestNode, wire } from './support.ts';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const PAGE = join(ROOT, 'docs/first-job-and-reflector.md');

// Inside the project, so that `import ... from 'sotto'` finds it as it would in an app.
mkdirSync(join(ROOT, '.sotto'), { recursive: true });
const folder = mkdtempSync(join(ROOT, '.sotto/docs-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Writes the files that the page shows, as a reader would. */
function writeFilesOf(page: string): string[] {
  const blocks = [...readFileSync(page, 'utf8').matchAll(/^```\w+ file=(\S+)\n([\s\S]*?)^```$/gm)];
  return blocks.map(([, path, text]) => {
    mkdirSync(dirname(join(folder, path!)), { recursive: true });
    writeFileSync(join(folder, path!), text!);
    return path!;
  });
}

describe('docs/first-job-and-reflector.md', () => {
  it('shows a protocol folder that works as it says', async () => {
    expect(writeFilesOf(PAGE).length).toBeGreaterThan(10);
    const protocol = assembleProtocol([quiet, await readProtocolFolder(folder)]);
    expect(loadJobs(protocol.job_files, protocol, {}).map((spec) => spec.name)).toContain('boil');

    const alice = new TestNode({ protocol });
    const bob = new TestNode({ protocol, clock: alice.clock });
    const { channel_id } = foundNetwork(alice);
    joinNetwork(alice, bob);
    wire(alice, bob);
    alice.engine.command('put_kettle_on', 1, { channel_id, tea: 'Assam', boils_after_ms: 3_000 });
    const boil = (node: TestNode) => {
      const job = protocol.jobs.get('boil_job')!;
      const occurrence = { scheduled_for_ms: node.clock.wall, missed: 0, attempt: 0 };
      const cause = { kind: 'job', name: 'boil', scheduled_for_ms: node.clock.wall } as const;
      return node.engine.transact((transaction) =>
        transaction.submit(
          1,
          cause,
          node.engine.pure.job(job, {}, node.engine.scope(1, node.clock.wall), occurrence),
        ),
      );
    };
    expect(boil(alice).processed).toBe(0);
    alice.clock.pass(3_000);
    expect(boil(alice).processed).toBe(1);
    expect(boil(alice).processed).toBe(0);
    wire(alice, bob);
    const kettle_id = alice.query<{ kettle_id: string; tea: string }>('get_teas')[0]?.kettle_id;
    expect(bob.query('get_teas')).toMatchObject([{ tea: 'Assam' }]);
    expect(bob.query('get_whistles')).toEqual([{ kettle_id }]);
    expect(alice.query('get_whistles')).toEqual([]);
    // Sealed, as the page says: what was brewed lies on neither disk in clear.
    for (const node of [alice, bob])
      expect(
        node.all(`SELECT count(*) AS clear FROM event WHERE instr(body, CAST('Assam' AS BLOB)) > 0`),
      ).toEqual([{ clear: 0 }]);
  });
});

describe('the documentation', () => {
  it('names no file that does not exist', () => {
    const pages = [
      'README.md',
      'docs/architecture.md',
      'docs/scheduler.md',
      'docs/protocol.md',
      'docs/api.md',
      'docs/security.md',
    ];
    const missing = pages.flatMap((page) => {
      const links = [...readFileSync(join(ROOT, page), 'utf8').matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)];
      return links
        .map(([, to]) => join(dirname(page), to!))
        .filter((to) => {
          try {
            return readFileSync(join(ROOT, to)).length < 0;
          } catch (thrown) {
            return (thrown as { code?: string }).code !== 'EISDIR';
          }
        });
    });
    expect(missing).toEqual([]);
  });
});
