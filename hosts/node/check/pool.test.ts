import { afterEach, describe, expect, it } from 'vitest';
import { encodeEventItem, encodeFrame, encodeTransientItem } from '../../../core/frame-codec.ts';
import { foundNetwork, storedEvents, TestNode } from '../../../tests/support.ts';
import { CheckPool } from './pool.ts';

const failures: Error[] = [];
const pool = new CheckPool((error) => failures.push(error));
afterEach(() => expect(failures).toEqual([]));

/** Alice's events, many enough for another thread. */
function events(node = new TestNode()) {
  const { channel_id } = foundNetwork(node);
  for (let n = 0; n < 40; n++)
    node.engine.command('send_message', 1, { channel_id, text: `${n} ${'-'.repeat(300)}`, ttl_ms: 0 });
  return storedEvents(node);
}

describe('signatures checked in other threads', () => {
  it('S3: names the places of events whose signature holds, and no others', async () => {
    const items = events();
    const forged = items.map((event, place) => {
      if (place % 3 !== 0) return event;
      const signature = event.signature.slice();
      signature[10]! ^= 1;
      return { ...event, signature };
    });
    const frame = encodeFrame([encodeTransientItem('x', new Uint8Array(0)), ...forged.map(encodeEventItem)]);
    const checked = await pool.check(frame);
    const expected = forged.flatMap((_, place) => (place % 3 === 0 ? [] : [place + 1]));
    expect([...checked!].sort((a, b) => a - b)).toEqual(expected);
  });

  it('S3: what was found to hold is of these bytes: another author, header or signature is refused where it is taken in', async () => {
    const node = new TestNode();
    const other = new TestNode();
    foundNetwork(other);
    const items = events(node);
    // A host that says what is not true would be a fault of ours; what nobody has checked is checked all the same.
    const forged = items.map((event) => ({ ...event, signature: new Uint8Array(64) }));
    node.db.exec('DELETE FROM event');
    const from = { session_id: 's', device_id: 'ab'.repeat(32) };
    node.engine.receive(1, from, encodeFrame(forged.map(encodeEventItem)), new Set());
    expect(node.engine.pipeline.counters.get('rejected:bad_signature')).toBe(items.length);
  });

  it('leaves small frames to whoever takes them in, and garbage is nothing that holds', async () => {
    expect(pool.check(new Uint8Array(1_000))).toBeNull();
    expect(await pool.check(new Uint8Array(64 * 1024).fill(0x9f))).toEqual(new Set());
  });

  it('ends, and leaves nobody waiting', async () => {
    const ending = new CheckPool((error) => failures.push(error));
    const frame = encodeFrame(events().map(encodeEventItem));
    const waiting = ending.check(frame);
    await ending.close();
    expect((await waiting!).size).toBeGreaterThanOrEqual(0);
    expect(ending.check(frame)).toBeNull();
  });
});
