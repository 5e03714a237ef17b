/** One interface, the loopback one, with real sockets: what is said there, what is listened to, and what happens when the system says no. */
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { randomBytes } from '../../../crypto/bytes.ts';
import { until } from '../nodes.testing.ts';
import { linkAddress } from './addresses.ts';
import { announcementOf, type Heard, recordsOf, SERVICE } from './announcement.ts';
import { Budget } from './budget.ts';
import { lan_limits } from './limits.ts';
import { Link, type LinkPorts } from './link.ts';
import {
  announcements,
  ears,
  freeUdpPort,
  isGoodbye,
  mouth,
  nameIn,
  questions,
  socketAt,
} from './multicast.testing.ts';

const random = { bytes: randomBytes };
const clock = { wall_ms: () => Date.now(), monotonic_ms: () => performance.now() };
const node_port = 4820;

const open: Link[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((link) => link.close()));
});

/** A link on the loopback interface. `faster`: how much sooner its timers are over than they should be. */
function story(
  port: number,
  { faster = 1, ...options }: Partial<LinkPorts> & { faster?: number; address?: string } = {},
) {
  const heard: Heard[] = [];
  const log: string[] = [];
  const budget = new Budget(clock);
  const looked: string[] = [];
  const link = new Link(linkAddress(options.address ?? '127.0.0.1', '127.0.0.1/8'), node_port, [], {
    port,
    clock,
    random,
    timers: {
      set: (run, delay_ms) => {
        const timer = setTimeout(run, delay_ms / faster);
        return () => clearTimeout(timer);
      },
      soon: (run) => void setImmediate(run),
    },
    log: (level, event, details) => log.push(`${level} ${event}: ${details.problem}`),
    allows: (source) => {
      looked.push(source);
      return budget.allows(source, false);
    },
    heard: (each) => heard.push(each),
    ...options,
  });
  open.push(link);
  return { link, heard, log, looked };
}

const strangerAt = (host: string, port: number) =>
  recordsOf(announcementOf({ host, port }, [], random, Date.now()), 'here');

describe('on an interface', () => {
  it('a node announces itself twice and asks less and less often; nothing it says is long', async () => {
    const port = await freeUdpPort();
    const heard = await ears(port);
    story(port);
    await until('it has asked three times', () => questions(heard).length === 3);
    const [first, second, third] = questions(heard).map(({ at_ms }) => at_ms) as [number, number, number];
    expect(second - first).toBeGreaterThan(0.9 * lan_limits.ask_ms_first);
    expect(third - second).toBeGreaterThan(1.9 * lan_limits.ask_ms_first);
    expect(announcements(heard)).toHaveLength(2);
    expect(new Set(announcements(heard).map(nameIn)).size).toBe(1);
    expect(Math.max(...heard.map(({ bytes }) => bytes.length))).toBeLessThan(450);
  });

  it('who asks makes it answer to all at most once a second, however often it asks, and nothing is sent to who asked', async () => {
    const port = await freeUdpPort();
    const heard = await ears(port);
    story(port);
    const eve = await mouth(port, '127.0.0.2');
    await until('it is there', () => announcements(heard).length === 2);
    const began = performance.now();
    for (let count = 0; count < 300; count++) {
      await eve.question(SERVICE, count % 2 === 0 ? 'PTR' : 'ANY');
      await pause(10);
    }
    const seconds = (performance.now() - began) / 1_000;
    const answered = announcements(heard).length - 2;
    expect(answered).toBeGreaterThan(1);
    expect(answered).toBeLessThanOrEqual(seconds + 1);
    expect(eve.answers).toEqual([]);
  });

  it('it says goodbye under the name that it had, lets go of the port, and is silent then', async () => {
    const port = await freeUdpPort();
    const heard = await ears(port);
    const { link } = story(port);
    await until('it is there', () => announcements(heard).length === 2);
    const eve = await mouth(port, '127.0.0.2');
    await eve.question(SERVICE);
    await link.close();
    await until('it has gone', () => heard.some(isGoodbye));
    expect(nameIn(announcements(heard).at(-1)!)).toBe(nameIn(announcements(heard)[0]!));
    const said = heard.length;
    await eve.question(SERVICE);
    await pause(1_500);
    expect(heard.slice(said).filter(({ from }) => from.address !== '127.0.0.2')).toEqual([]);
  });

  it('with other devices than before it has another name', async () => {
    const port = await freeUdpPort();
    const heard = await ears(port);
    const { link } = story(port);
    await until('it is there', () => announcements(heard).length === 2);
    link.rename([]);
    await until('it has said so', () => announcements(heard).length === 4);
    const names = announcements(heard).map(nameIn);
    expect(names[2]).toBe(names[0]);
    expect(announcements(heard).map(isGoodbye)).toEqual([false, false, true, false]);
    expect(names[3]).not.toBe(names[0]);
  });
});

describe('what comes in', () => {
  it('is handed on if somebody speaks for the address it comes from, and never of the node itself', async () => {
    const port = await freeUdpPort();
    const { heard } = story(port);
    const bob = await mouth(port, '127.0.0.2');
    await until('Bob is heard', () => {
      void bob.records(strangerAt('127.0.0.2', 4_000));
      return heard.length > 0;
    });
    expect(heard[0]?.place).toEqual({ host: '127.0.0.2', port: 4_000 });
    heard.length = 0;
    const here = await mouth(port);
    await bob.records(strangerAt('127.0.0.3', 4_000));
    await bob.records(strangerAt('192.168.1.5', 4_000));
    await bob.records(strangerAt('203.0.113.9', 4_000));
    await here.records(strangerAt('127.0.0.1', node_port));
    await here.records(strangerAt('127.0.0.1', node_port + 1));
    await until('the last is heard', () => heard.some(({ place }) => place.port === node_port + 1));
    expect(heard.filter(({ place }) => place.port !== node_port + 1 && place.host !== '127.0.0.2')).toEqual(
      [],
    );
    expect(heard.some(({ place }) => place.port === node_port)).toBe(false);
  });

  it('from who is no neighbour, too long, or not about us, is not even looked into', async () => {
    const port = await freeUdpPort();
    const { heard, looked } = story(port);
    const eve = await mouth(port, '127.0.0.2');
    const all = await ears(port);
    await until('there is a node', () => all.length > 0);
    looked.length = 0;
    await eve.raw(Buffer.concat([Buffer.from('\u0006_sotto'), Buffer.alloc(lan_limits.packet_bytes_max)]));
    await eve.records([
      ...strangerAt('127.0.0.2', 1),
      { type: 'TXT', name: 'x', data: Buffer.alloc(1_000) } as never,
    ]);
    await eve.question('_http._tcp.local');
    await until('all has come', () => all.filter(({ from }) => from.address === '127.0.0.2').length === 3);
    await pause(50);
    expect(looked.filter((source) => source === '127.0.0.2')).toEqual([]);
    expect(heard).toEqual([]);

    const other = await freeUdpPort();
    const far = new Link(linkAddress('127.0.0.1', '127.0.0.1/32'), node_port, [], {
      port: other,
      clock,
      random,
      timers: { set: () => () => {}, soon: (run) => void setImmediate(run) },
      log: () => {},
      allows: (source) => looked.push(source) > 0,
      heard: (each) => heard.push(each),
    });
    open.push(far);
    const ears_there = await ears(other);
    await until('there is a node', () => ears_there.length > 0);
    const eve_there = await mouth(other, '127.0.0.2');
    await eve_there.records(strangerAt('127.0.0.2', 1));
    await until('it has come', () => ears_there.some(({ from }) => from.address === '127.0.0.2'));
    await pause(50);
    expect(looked.filter((source) => source === '127.0.0.2')).toEqual([]);
  });

  it('is looked into some times a second, however much it is', async () => {
    const port = await freeUdpPort();
    const { heard } = story(port);
    const eve = await mouth(port, '127.0.0.2');
    await until('there is a node', () => {
      void eve.records(strangerAt('127.0.0.2', 9));
      return heard.length > 0;
    });
    await pause(1_000);
    heard.length = 0;
    const began = performance.now();
    for (let count = 1; count <= 3_000; count++) await eve.records(strangerAt('127.0.0.2', count));
    await pause(50);
    const seconds = Math.ceil((performance.now() - began) / 1_000) + 1;
    expect(heard.length).toBeGreaterThan(0);
    expect(heard.length).toBeLessThanOrEqual(seconds * lan_limits.packets_per_source_max);
  });

  it('can be any bytes at all', async () => {
    const port = await freeUdpPort();
    const { heard, log, looked } = story(port, { allows: (source) => looked.push(source) > 0 });
    const eve = await mouth(port, '127.0.0.2');
    const all = await ears(port);
    await until('there is a packet to start from', () => announcements(all).length > 0);
    const packet = announcements(all)[0]!.bytes;
    for (let count = 0; count < 3_000; count++) {
      const bytes = Buffer.from(packet);
      for (const at of randomBytes(1 + (count % 8)))
        bytes[(at * 7 + count) % bytes.length] = randomBytes(1)[0]!;
      await eve.raw(count % 5 === 0 ? bytes.subarray(0, 12 + (count % 300)) : bytes);
      if (count % 50 === 0) await pause(1);
    }
    // A name that points at itself, and counts of records that are not there.
    const header = Buffer.from([0, 0, 0x84, 0, 255, 255, 255, 255, 255, 255, 255, 255]);
    await eve.raw(Buffer.concat([header, Buffer.from([0xc0, 12]), Buffer.from('\u0006_sotto')]));
    expect(looked.length).toBeGreaterThan(1_000);
    await until('it still listens', () => {
      void eve.records(strangerAt('127.0.0.2', 4_000));
      return heard.some(({ place }) => place.port === 4_000);
    });
    expect(log).toEqual([]);
  });
});

describe('a system that says no', () => {
  it('because the port is taken is told once, in words, and tried again until it can be had', async () => {
    const port = await freeUdpPort();
    const selfish = await socketAt(port, { host: '0.0.0.0', shared: false });
    const { link, log } = story(port, { faster: 10 });
    await until('it is told', () => link.problem !== null);
    expect(link.problem).toBe(
      `Expected to find peers on the LAN by multicast at 127.0.0.1:${port}, but another program has the port, and does not share it (EADDRINUSE).`,
    );
    await pause(500);
    expect(log).toEqual([`warn lan_not_available: ${link.problem}`]);
    await new Promise<void>((resolve) => selfish.close(() => resolve()));
    await until('it has the port', () => link.problem === null);
    const heard = await ears(port);
    const eve = await mouth(port, '127.0.0.2');
    await until('it answers', () => {
      void eve.question(SERVICE);
      return announcements(heard).length > 0;
    });
  });

  it('for good is given up after so many times, and said to be', async () => {
    const port = await freeUdpPort();
    await socketAt(port, { host: '0.0.0.0', shared: false });
    const delays: number[] = [];
    const { link, log } = story(port, {
      timers: {
        set: (run, delay_ms) => {
          delays.push(delay_ms);
          const timer = setTimeout(run, 1);
          return () => clearTimeout(timer);
        },
        soon: (run) => void setImmediate(run),
      },
    });
    await until('it is given up', () => log.length === 2);
    await pause(100);
    expect(log.map((line) => line.slice(0, line.indexOf(':')))).toEqual([
      'warn lan_not_available',
      'warn lan_given_up',
    ]);
    expect(delays).toHaveLength(lan_limits.retries_max);
    expect(delays[0]).toBe(lan_limits.retry_ms_first);
    expect(Math.max(...delays)).toBe(lan_limits.retry_ms_max);
    expect(link.problem).toContain('EADDRINUSE');
  });

  it('because there is no such interface is told in words as well', async () => {
    const port = await freeUdpPort();
    const { link, log } = story(port, { address: '192.0.2.77' });
    await until('it is told', () => link.problem !== null);
    expect(link.problem).toMatch(/there is no such interface any more \((ENODEV|EADDRNOTAVAIL)\)\.$/);
    expect(log).toHaveLength(1);
  });
});
