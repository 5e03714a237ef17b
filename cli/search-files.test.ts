/** The search of files: against one that is too simple to be wrong, over the borders of what it holds in memory, while files come and go. */

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { seededBytes } from '../storage/fixtures/slot-traffic.ts';
import { type CliFailure, exit_codes } from './failure.ts';
import { type Finding, readSecretsFile, type SearchProgress, searchFiles } from './search-files.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sotto-search-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const put = (name: string, content: Uint8Array | string): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
const secret = (seed: string, length = 32) => seededBytes(`secret ${seed}`, length);
const MIB = 1 << 20;

/** Every place and every window, one after the other. */
function naiveSearch(file: string, content: Buffer, secrets: readonly Uint8Array[]): Finding[] {
  const findings: Finding[] = [];
  for (const [secret_index, one] of secrets.entries()) {
    const windows = new Set<string>();
    for (let at = 0; at + 8 <= one.length; at++) {
      const window = Buffer.from(one.subarray(at, at + 8));
      if (window.some((byte) => byte !== window[0])) windows.add(window.toString('hex'));
    }
    let open: { offset: number; length: number } | null = null;
    for (let at = 0; at + 8 <= content.length; at++) {
      if (!windows.has(content.toString('hex', at, at + 8))) continue;
      if (open !== null && at <= open.offset + open.length) open.length = at + 8 - open.offset;
      else {
        if (open !== null) findings.push({ file, ...open, secret_index });
        open = { offset: at, length: 8 };
      }
    }
    if (open !== null) findings.push({ file, ...open, secret_index });
  }
  return findings.sort((a, b) => a.offset - b.offset || a.secret_index - b.secret_index);
}

describe('what is found', () => {
  it('is what a simple search finds', async () => {
    // Few different bytes, so that things begin alike, overlap, and repeat.
    const byte = fc.constantFrom(0, 0, 0, 1, 0xff);
    const secrets = fc.array(
      fc
        .uint8Array({ minLength: 8, maxLength: 20 })
        .chain((other) =>
          fc
            .array(byte, { minLength: 8, maxLength: 24 })
            .map((alike) => (other[0]! < 64 ? other : Uint8Array.from(alike))),
        )
        .filter((bytes) => bytes.some((_, at) => at > 0 && at < 8 && bytes[at] !== bytes[0])),
      { minLength: 1, maxLength: 5 },
    );
    const piece = fc.oneof(
      fc.array(byte, { maxLength: 40 }).map((bytes) => ({ bytes, of: -1, from: 0, to: 0 })),
      fc.record({ bytes: fc.constant([]), of: fc.nat(4), from: fc.nat(12), to: fc.nat(24) }),
    );
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(secrets, fc.array(piece, { maxLength: 12 }), async (looked_for, pieces) => {
        const content = Buffer.concat(
          pieces.map(({ bytes, of, from, to }) =>
            of === -1 ? Uint8Array.from(bytes) : looked_for[of % looked_for.length]!.subarray(from, to),
          ),
        );
        const file = put('file', content);
        const expected = naiveSearch(file, content, looked_for);
        const { findings, found, bytes } = await searchFiles(file, looked_for);
        expect(findings).toEqual(expected);
        expect({ found, bytes }).toEqual({ found: expected.length, bytes: content.length });
        compared += expected.length;
      }),
      { numRuns: 600, seed: 5 },
    );
    expect(compared).toBeGreaterThan(400);
  });

  it('any 8 bytes of a secret, but not 7', async () => {
    const one = secret('parts');
    for (let at = 0; at + 8 <= 32; at++) {
      const lead = seededBytes('lead', at % 5);
      const file = put('part', Buffer.concat([lead, one.subarray(at, at + 8)]));
      expect((await searchFiles(file, [one])).findings).toEqual([
        { file, offset: lead.length, secret_index: 0, length: 8 },
      ]);
      put('part', Buffer.concat([one.subarray(at, at + 7), Buffer.from([one[at + 7]! ^ 1])]));
      expect((await searchFiles(file, [one])).found).toBe(0);
    }
  });

  it('lies over the borders of what is in memory, too', async () => {
    const one = secret('border');
    const content = Buffer.alloc(2 * MIB + 100);
    for (let shift = 0; shift <= 40; shift++) {
      // The second piece begins with the last 7 bytes of the first.
      const offsets = [MIB - shift, 2 * MIB - 7 - shift];
      for (const offset of offsets) content.set(one, offset);
      const file = put('borders', content);
      expect((await searchFiles(file, [one])).findings).toEqual(
        offsets.map((offset) => ({ file, offset, secret_index: 0, length: 32 })),
      );
      for (const offset of offsets) content.fill(0, offset, offset + 32);
    }
  });

  it('is told for every secret that has the bytes, in the order of places', async () => {
    const [first, second] = [secret('first'), secret('second')];
    const both = Buffer.concat([second.subarray(4, 20), first]);
    const file = put('file', Buffer.concat([first, Buffer.alloc(3), second]));
    expect((await searchFiles(folder, [first, both, second])).findings).toEqual([
      { file, offset: 0, secret_index: 0, length: 32 },
      { file, offset: 0, secret_index: 1, length: 32 },
      { file, offset: 35, secret_index: 2, length: 32 },
      { file, offset: 39, secret_index: 1, length: 16 },
    ]);
  });

  it('is named twenty times for one secret and file, and counted', async () => {
    const one = secret('often');
    const thirty = Buffer.concat(Array.from({ length: 30 }, () => [one, Buffer.alloc(1)]).flat());
    put('a', thirty);
    put('b', thirty);
    const { findings, found } = await searchFiles(folder, [one]);
    expect(found).toBe(60);
    expect(findings.map(({ file, offset }) => ({ file, offset }))).toEqual(
      ['a', 'b'].flatMap((name) =>
        Array.from({ length: 20 }, (_, at) => ({ file: join(folder, name), offset: at * 33 })),
      ),
    );
  });
});

describe('what is searched', () => {
  it('everything in folders, and through links to files; what cannot be read is named', async () => {
    const one = secret('deep');
    mkdirSync(join(folder, 'looked-at', 'deeper'), { recursive: true });
    const deep = put('looked-at/deeper/file', one);
    const beside = put('beside', one);
    put('looked-at/empty', '');
    symlinkSync(beside, join(folder, 'looked-at', 'link'));
    symlinkSync(folder, join(folder, 'looked-at', 'circle'));
    symlinkSync('/dev/null', join(folder, 'looked-at', 'device'));
    symlinkSync(join(folder, 'nowhere'), join(folder, 'looked-at', 'broken'));
    const looked_at = join(folder, 'looked-at');
    const result = await searchFiles([looked_at, deep, looked_at], [one]);
    expect(result.findings.map(({ file }) => file)).toEqual([deep, join(looked_at, 'link')]);
    expect(result).toMatchObject({ found: 2, files: 3, bytes: 64 });
    expect(result.unread.map(({ file }) => file).toSorted()).toEqual(
      ['circle', 'device'].map((name) => join(looked_at, name)),
    );
  });

  it('files that vanish, shrink, or come meanwhile', async () => {
    const one = secret('moving');
    const filler = Buffer.alloc(3 * MIB);
    const shrinking = put('a', Buffer.concat([one, filler, one]));
    const unlinked = put('b', Buffer.concat([filler, one]));
    const vanishing = put('c', one);
    let late = '';
    const result = await searchFiles(folder, [one], ({ file }) => {
      if (late !== '') return;
      expect(file).toBe(shrinking);
      truncateSync(shrinking, 100);
      rmSync(vanishing);
      late = put('late', one);
    });
    expect(result.findings.map(({ file }) => file)).toEqual([shrinking, unlinked, late]);
    expect(result).toMatchObject({ found: 3, files: 3, unread: [] });
  });

  it('tells how far it is', async () => {
    put('a', Buffer.alloc(2.5 * MIB));
    put('b', Buffer.alloc(10));
    const told: SearchProgress[] = [];
    await searchFiles(folder, [secret('progress')], (progress) => told.push(progress));
    const bytes_total = 2.5 * MIB + 10;
    expect(told.length).toBeGreaterThanOrEqual(5);
    expect(told[0]).toEqual({
      file: join(folder, 'a'),
      files_done: 0,
      files_total: 2,
      bytes_done: MIB,
      bytes_total,
    });
    expect(told.at(-1)).toEqual({
      file: join(folder, 'b'),
      files_done: 2,
      files_total: 2,
      bytes_done: bytes_total,
      bytes_total,
    });
    expect(told.map(({ bytes_done }) => bytes_done)).toEqual(
      told.map(({ bytes_done }) => bytes_done).toSorted((a, b) => a - b),
    );
  });

  it('100 MB in seconds, for 20000 windows', async () => {
    const part = seededBytes('part', MIB);
    const planted = secret('planted');
    const file = put('large', Buffer.concat([...Array.from({ length: 100 }, () => part), planted]));
    const secrets = [...Array.from({ length: 800 }, (_, at) => secret(String(at))), planted];
    const started_ms = performance.now();
    const { findings } = await searchFiles(file, secrets);
    expect(findings).toEqual([{ file, offset: 100 * MIB, secret_index: 800, length: 32 }]);
    expect(performance.now() - started_ms).toBeLessThan(5_000);
  });
});

describe('what is refused', () => {
  it.each([
    ['a short secret', [Buffer.from('long enough'), Buffer.from('7 bytes')], /^Secret number 2 has 7 bytes/],
    ['nothing', [new Uint8Array(0)], /has 0 bytes/],
    ['one byte again and again', [new Uint8Array(32)], /^Secret number 1 is one byte/],
  ])('%s', async (_name, secrets, message) => {
    const expected = { code: 'bad_secret', message: expect.stringMatching(message), exit_code: 2 };
    await expect(searchFiles(folder, secrets)).rejects.toMatchObject(expected);
  });

  it('a path where nothing is', async () => {
    await expect(searchFiles(join(folder, 'nowhere'), [secret('x')])).rejects.toMatchObject({
      code: 'no_such_file',
      exit_code: exit_codes.usage,
    });
  });
});

describe('a file of secrets', () => {
  it('holds text as it is, hex and base64; blank lines and remarks are skipped', async () => {
    const path = put(
      'secrets',
      '\ufeff# a remark\n\n  naïve text 🫥 \r\nhex:00112233445566778899AAbb\n   \t\n' +
        'base64:AAECAwQFBgcICQ==\nbase64:__79_Pv6-fj3\nbase64:AAECAwQFBgc\nlast one',
    );
    expect(await readSecretsFile(path)).toEqual(
      [
        [3, Buffer.from('  naïve text 🫥 ')],
        [4, Buffer.from('00112233445566778899aabb', 'hex')],
        [6, Buffer.from([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])],
        [7, Buffer.from('fffefdfcfbfaf9f8f7', 'hex')],
        [8, Buffer.from([0, 1, 2, 3, 4, 5, 6, 7])],
        [9, Buffer.from('last one')],
      ].map(([line, bytes]) => ({ line, bytes })),
    );
  });

  it.each([
    ['an odd digit', 'hex:00112233445566778', /^Line 3 of .*: expected an even number of hex digits/],
    ['no digit', 'hex:001122334455667788zz', /^Line 3 of .*: expected an even number of hex digits/],
    ['no base64', 'base64:AAECAwQFBgcICQ*=', /^Line 3 of .*: expected base64/],
    ['both alphabets', 'base64:AAEC_wQFBgcICQ+/', /^Line 3 of .*: expected base64/],
    ['base64 cut off', 'base64:AAECAwQFBgcIC', /^Line 3 of .*: expected base64/],
    ['short text', 'secret7', /^Line 3 of .* has 7 bytes/],
    ['short hex', 'hex:00112233445566', /^Line 3 of .* has 7 bytes/],
    ['nothing behind hex:', 'hex:', /^Line 3 of .* has 0 bytes/],
    ['zeros', 'hex:0000000000000000', /^Line 3 of .* is one byte again and again/],
    ['other bytes', Buffer.from([0xc3, 0x28, 1, 2, 3, 4, 5, 6]), /UTF-8 text in line 3/],
    ['UTF-16', Buffer.from('wide text', 'utf16le'), /UTF-8 text in line 3/],
  ])('%s is refused, by its line, without a word of it', async (_name, bad, message) => {
    const path = put(
      'secrets',
      Buffer.concat([Buffer.from('# a remark\ngood enough\n'), Buffer.from(bad), Buffer.from('\n')]),
    );
    const failure = await readSecretsFile(path).catch((thrown: CliFailure) => thrown);
    expect(failure).toMatchObject({
      code: 'bad_secret',
      message: expect.stringMatching(message),
      exit_code: 2,
    });
    const held = String(bad).replace(/^\w+:/, '');
    if (held !== '') expect((failure as CliFailure).message).not.toContain(held);
  });

  it('that is not there is refused', async () => {
    await expect(readSecretsFile(join(folder, 'nowhere'))).rejects.toMatchObject({ code: 'no_such_file' });
  });
});
