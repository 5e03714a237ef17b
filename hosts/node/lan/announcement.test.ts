/** What is said on the LAN, to the byte, and what it tells whom. */
import { blake2b } from '@noble/hashes/blake2.js';
import { describe, expect, it } from 'vitest';
import { randomBytes } from '../../../crypto/bytes.ts';
import {
  announcementOf,
  asksForUs,
  heardIn,
  type NetworkDevice,
  recordsOf,
  SERVICE,
} from './announcement.ts';
import { lan_limits } from './limits.ts';

const random = { bytes: randomBytes };
const place = { host: '192.168.1.5', port: 4820 };
const device = (number: number): NetworkDevice => ({
  network_id: new Uint8Array(32).fill(1),
  device_id: new Uint8Array(32).fill(number),
});
type Records = ReturnType<typeof recordsOf>;
const heard = (answers: Records, from = place.host) => heardIn({ type: 'response', answers } as never, from);
const textOf = (records: Records) => (records[2] as { data: Buffer }).data;

describe('an announcement', () => {
  it('has the tags that docs/protocol.md says, for each word others', () => {
    const announcement = announcementOf(place, [device(7)], random, 20_000.9 * 86_400_000);
    for (const word of ['here', 'gone'] as const) {
      const text = textOf(recordsOf(announcement, word));
      const salt = text.subarray(1, 17);
      const message = Buffer.concat([
        Buffer.from(`sotto lan ${word} v1\0`),
        salt,
        Buffer.from([0, 0, 0x4e, 0x20]),
        device(7).device_id,
        Buffer.from('192.168.1.5:4820'),
      ]);
      const tag = blake2b(message, { key: device(7).network_id, dkLen: 32 }).subarray(0, 8);
      const tags = Array.from({ length: 24 }, (_, index) =>
        text.subarray(17 + 8 * index, 25 + 8 * index).toString('hex'),
      );
      expect(text[0]).toBe(1);
      expect(tags.filter((each) => each === Buffer.from(tag).toString('hex'))).toHaveLength(1);
      expect(tags).toEqual(tags.toSorted());
    }
  });

  it('looks alike with no device and with more than are announced', () => {
    const shape = (count: number) => {
      const devices = Array.from({ length: count }, (_, index) => device(index));
      return recordsOf(announcementOf(place, devices, random, Date.now()), 'here').map((record) =>
        JSON.stringify(record.type === 'TXT' ? textOf([record, record, record]).length : record).replace(
          /[0-9a-f]{16}/g,
          'name',
        ),
      );
    };
    expect(shape(0)).toEqual(shape(1));
    expect(shape(0)).toEqual(shape(lan_limits.tags + 9));
  });

  it('shares with another one of the same devices nothing that is not the same in all', () => {
    const once = announcementOf(place, [device(7)], random, Date.now());
    const again = announcementOf(place, [device(7)], random, Date.now());
    expect(once.name).not.toBe(again.name);
    const windows = ({ texts }: typeof once) => {
      const all = Buffer.concat([texts.here, texts.gone]).toString('hex');
      return Array.from({ length: all.length / 2 - 3 }, (_, index) => all.slice(2 * index, 2 * index + 8));
    };
    const of_once = new Set(windows(once));
    expect(windows(again).filter((window) => of_once.has(window))).toEqual([]);
    const said = JSON.stringify(recordsOf(once, 'here'));
    expect(said).not.toContain('07070707');
    expect(said).not.toContain('01010101');
  });

  it('is heard as it was said', () => {
    const records = recordsOf(announcementOf(place, [device(7)], random, Date.now()), 'here');
    expect(heard(records)).toMatchObject({ word: 'here', place });
    expect(heard(records)?.tags.size).toBe(lan_limits.tags);
    expect(heard(recordsOf(announcementOf(place, [], random, Date.now()), 'gone'))?.word).toBe('gone');
  });
});

describe('what is not an announcement', () => {
  const records = recordsOf(announcementOf(place, [device(7)], random, Date.now()), 'here');
  const [pointer, service, text, address] = records as [never, never, never, never];
  const changed = (at: number, change: object) =>
    records.map((record, index) => (index === at ? { ...record, ...change } : record)) as Records;
  const instance = (pointer as { data: string }).data;
  const renamed = (record: Records[number], name: string) =>
    JSON.parse(JSON.stringify(record).replaceAll(instance, name), (key, value) =>
      key === 'data' && value.type === 'Buffer' ? Buffer.from(value.data) : value,
    );
  const table: readonly (readonly [string, Records])[] = [
    ['nothing', []],
    ['records in another order', [service, pointer, text, address]],
    ['a record too few', [pointer, service, text]],
    ['thousands of records', [...records, ...Array.from({ length: 2_000 }, () => pointer)]],
    ['an address of a third host', changed(3, { data: '192.168.1.99' })],
    ['a public address', changed(3, { data: '203.0.113.9' })],
    ['an address of another name', changed(3, { name: 'printer.local' })],
    ['another service', changed(0, { name: '_http._tcp.local' })],
    ['a name that people gave', records.map((record) => renamed(record, `alice.${SERVICE}`)) as Records],
    ['another instance', changed(0, { data: `0000000000000000.${SERVICE}` })],
    ['a service of another instance', changed(1, { name: `0000000000000000.${SERVICE}` })],
    ['a text of another instance', changed(2, { name: `0000000000000000.${SERVICE}` })],
    ['port 0', changed(1, { data: { port: 0, target: (address as { name: string }).name } })],
    ['a text that is too long', changed(2, { data: Buffer.concat([textOf(records), Buffer.alloc(1)]) })],
    ['a text that is too short', changed(2, { data: textOf(records).subarray(1) })],
    ['several texts', changed(2, { data: [textOf(records), textOf(records)] })],
    ['no text', changed(2, { data: [] })],
    ['a text of another version', changed(2, { data: Buffer.from(textOf(records)).fill(2, 0, 1) })],
  ];
  it.each(table)('%s', (_what, answers) => {
    expect(heard(records)).not.toBeNull();
    expect(heard(answers)).toBeNull();
  });

  it('what comes from elsewhere than it says', () => {
    expect(heard(records, '192.168.1.66')).toBeNull();
  });
});

it('a question is for us if it asks for the service', () => {
  const asks = (name: string, type: string) => asksForUs({ questions: [{ name, type }] } as never);
  expect([asks(SERVICE, 'PTR'), asks(SERVICE.toUpperCase(), 'ANY')]).toEqual([true, true]);
  expect([asks('_http._tcp.local', 'PTR'), asks(SERVICE, 'A')]).toEqual([false, false]);
});
