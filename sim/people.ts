/** What people do with their machines, and what happens to these. Nothing is drawn here: a step says which, and means of what there is at that moment. */
import { SottoError } from '../core/assert.ts';
import type { Id } from '../core/fields.ts';
import { ERASING } from './disk.ts';
import { Hostile } from './hostile.ts';
import type { Machine } from './machine.ts';
import { QUIET } from './network.ts';
import { type Kind, PACES, type Step, spans } from './scenario.ts';
import type { Place, Simulation } from './simulation.ts';
import { MARKER, type Seen, violated } from './truth.ts';

const { SECOND_MS, MINUTE_MS, HOUR_MS, DAY_MS } = spans;

interface Message {
  readonly message_id: Id;
  readonly author: Id;
  readonly author_user_id: Id;
  readonly text: string;
  readonly created_ms: number;
}
interface Channel {
  readonly channel_id: Id;
  readonly name: string;
  readonly group_id: Id;
  readonly group_kind: string;
}
interface Member {
  readonly user_id: Id;
  readonly devices: number;
}
/** What a link holds. */
interface Invite {
  readonly input: object;
  /** Of a device link: whose device it makes. */
  readonly user_id: Id | null;
  readonly secret: Uint8Array;
}
interface Newcomer {
  readonly place: Place;
  readonly name: string | null;
}

export class People {
  readonly #sim: Simulation;
  readonly #newcomers: Newcomer[] = [];
  /** The last that each place has made. */
  readonly #invites = new Map<string, Invite>();
  readonly #backups = new Map<string, Map<string, Seen>>();
  readonly #hostile: Hostile;
  readonly #on_holiday = new Set<Machine>();
  #labels = 0;
  #names = 0;
  #storm_ends: (() => void) | null = null;

  constructor(sim: Simulation) {
    this.#sim = sim;
    this.#hostile = new Hostile(sim);
  }

  /** The first founds a network, the others join it one after the other. */
  async found(names: readonly string[]): Promise<void> {
    const sim = this.#sim;
    const [first, ...others] = names.map((name) => sim.machine(name));
    if (first === undefined) throw new Error('nobody is there');
    sim.boot(first);
    await sim.pass(SECOND_MS);
    this.#foundNetwork(first, first.name);
    for (const machine of others) {
      sim.boot(machine);
      await sim.pass(SECOND_MS);
      this.#join(sim.places([first])[0]!, machine, machine.name);
      await sim.passUntil(`${machine.name} is in`, () => this.welcome(), 10 * MINUTE_MS);
    }
    // Whoever was let in knows everybody by now, or hears of them soon.
    await sim.pass(2 * PACES[sim.scenario.pace].sync_ms);
  }

  #foundNetwork(machine: Machine, user_name: string): void {
    const sim = this.#sim;
    sim.say(`${machine.name} founds a network`);
    const made = sim.command({ machine, identity: 0 }, 'create_network', {
      name: `${MARKER} net`,
      user_name: `${MARKER} ${user_name}`,
    });
    if (made !== null)
      sim.command({ machine, identity: made.identity }, 'announce_address', { address: machine.address });
  }

  #join(host: Place, machine: Machine, name: string | null): void {
    const sim = this.#sim;
    const is_link = name === null;
    sim.say(`${machine.name} ${is_link ? 'becomes a device' : 'joins by an invite'} of ${host.machine.name}`);
    const user_id = is_link ? this.#userOf(host) : null;
    const made = is_link
      ? sim.command(host, 'create_device_link', { ttl_ms: 2 * DAY_MS })
      : sim.command(host, 'create_invite', { uses: 1, ttl_ms: 2 * DAY_MS });
    if (made === null || !machine.is_on) return;
    const invite: Invite = {
      input: {
        network_id: host.network_id,
        invite_id: made.event_ids[1],
        invite_key: made.reply.public_key,
      },
      user_id,
      secret: (made.reply.secret as Uint8Array).slice(),
    };
    if (!is_link) this.#invites.set(host.key, invite);
    this.#joinBy(host, machine, name, invite);
  }

  /** By an invite that may have been used up, or run out, or been revoked: then nobody lets them in. */
  #joinBy(host: Place, machine: Machine, name: string | null, { input, user_id, secret }: Invite): void {
    const sim = this.#sim;
    // The command wipes what it is given.
    const secrets = { invite_secret: secret.slice() };
    const joined =
      user_id !== null
        ? sim.command({ machine, identity: 0 }, 'link_this_device', { ...input, user_id }, secrets)
        : sim.command({ machine, identity: 0 }, 'join_network', input, secrets);
    if (joined === null) return;
    const { identity } = joined;
    const device_id = host.machine.runtime.engine.identity(host.identity)?.device_id;
    try {
      machine.runtime.engine.instruct(identity, 'sim', 'dial-hint', {
        device_id,
        address: host.machine.address,
      });
      machine.runtime.sessions.look();
    } catch (thrown) {
      sim.excused(machine, thrown, null);
    }
    const place = {
      machine,
      identity,
      network_id: host.network_id,
      key: `${machine.name} ${host.network_id}`,
    };
    this.#newcomers.push({ place, name });
  }

  /** Whoever can read by now says a name, and where to be reached. True when nobody waits any more. */
  welcome(): boolean {
    const sim = this.#sim;
    for (const newcomer of [...this.#newcomers]) {
      const { place, name } = newcomer;
      const { machine } = place;
      if (machine.state === 'destroyed') this.#newcomers.splice(this.#newcomers.indexOf(newcomer), 1);
      if (!machine.is_on) continue;
      try {
        const row = sim
          .query<{ identity: number; admitted: boolean | number; name: string | null }>(
            { machine, identity: 0 },
            'get_networks',
          )
          .find(({ identity }) => identity === place.identity);
        if (row === undefined) this.#newcomers.splice(this.#newcomers.indexOf(newcomer), 1);
        if (row === undefined || !row.admitted || row.name === null) continue;
      } catch (thrown) {
        sim.excused(machine, thrown, null);
        continue;
      }
      if (name !== null && sim.command(place, 'set_profile', { name: `${MARKER} ${name}` }) === null)
        continue;
      if (sim.command(place, 'announce_address', { address: machine.address }) === null) continue;
      this.#newcomers.splice(this.#newcomers.indexOf(newcomer), 1);
      sim.say(`${machine.name} is in`);
    }
    return this.#newcomers.length === 0;
  }

  #userOf(place: Place): Id {
    const device_id = place.machine.runtime.engine.identity(place.identity)?.device_id;
    return this.#sim.query<{ user_id: Id }>(place, 'get_user_of_device', { device_id })[0]?.user_id ?? '';
  }

  // --- a step -----------------------------------------------------------------------------------------------------------------------------------

  take(step: Step): void {
    const sim = this.#sim;
    this.welcome();
    const { kind, who, pick } = step;
    const all = [...sim.machines.values()].filter(({ state }) => state !== 'destroyed');
    const on = sim.on;
    const machine = FOR_ALL.has(kind) ? all[who % all.length] : on[who % Math.max(1, on.length)];
    if (machine === undefined) return;
    if (this.#happens(kind, machine, pick)) return;
    const places = sim.places([machine]);
    const place = places[pick % Math.max(1, places.length)];
    if (place === undefined) return;
    this.#try(place, () => this.#does(kind, place, pick));
  }

  #try({ machine }: Place, run: () => void): void {
    try {
      run();
    } catch (thrown) {
      this.#sim.excused(machine, thrown, null);
    }
  }

  #channels(place: Place): readonly Channel[] {
    return this.#sim.query<Channel>(place, 'get_channels');
  }

  #messages(place: Place, channel_id: Id): readonly Message[] {
    return this.#sim.query<Message>(place, 'get_messages', { channel_id, limit: 200 });
  }

  /** One of the messages that somebody sees. */
  #message(place: Place, pick: number): Message | undefined {
    const all = this.#channels(place).flatMap(({ channel_id }) => this.#messages(place, channel_id));
    return all[pick % Math.max(1, all.length)];
  }

  #name(): string {
    this.#names += 1;
    return `${MARKER} ${this.#names}`;
  }

  send(place: Place, channel_id: Id, ttl_ms: number | null): Id | null {
    const sim = this.#sim;
    const label = `m${++this.#labels}`;
    const text = `${MARKER} ${label} by ${place.machine.name}`;
    sim.say(`${place.machine.name} sends ${label}${ttl_ms === null ? '' : ` for ${ttl_ms / MINUTE_MS} min`}`);
    const retention =
      sim
        .query<{ channel_id: Id; retention_ms: number | null }>(place, 'get_channels')
        .find((row) => row.channel_id === channel_id)?.retention_ms ?? 0;
    const { machine } = place;
    const created_ms = machine.clock.wall_ms();
    const author = machine.runtime.engine.identity(place.identity)!.device_id;
    const sent = sim.command(place, 'send_message', { channel_id, text, ttl_ms });
    const message_id = sent?.event_ids[0];
    if (message_id == null) return null;
    // Of those who see everything: the process may be dead already, and what has expired at once (its clock was back for years) it does not show.
    const expires_ms = sim.checks.expiryOf(place, message_id)!;
    sim.truth.write(message_id, {
      label,
      network_id: place.network_id,
      channel_id,
      author,
      expires_ms,
      versions: [{ event_id: message_id, by: author, text }],
      reactions: [],
      deleted_by: [],
    });
    if (ttl_ms === null && retention > 0 && expires_ms > created_ms + retention)
      violated('S20', `${label} outlives what its channel keeps`);
    return message_id;
  }

  #does(kind: Kind, place: Place, pick: number): void {
    const sim = this.#sim;
    const { truth } = sim;
    const { machine } = place;
    const { name } = machine;
    const me = machine.runtime.engine.identity(place.identity)!.device_id;
    const channels = this.#channels(place);
    const channel = channels[pick % Math.max(1, channels.length)];
    const others = () =>
      sim
        .query<Member>(place, 'get_members', { group_id: null })
        .filter(({ devices, user_id }) => devices > 0 && user_id !== this.#userOf(place));
    const another = () => {
      const all = others();
      return all[pick % Math.max(1, all.length)]?.user_id;
    };
    const groups = () => sim.query<{ group_id: Id; kind: string }>(place, 'get_groups');
    const private_group = () => {
      const all = groups().filter((group) => group.kind === 'private');
      return all[pick % Math.max(1, all.length)]?.group_id;
    };
    switch (kind) {
      case 'send':
      case 'send_hour':
      case 'send_day': {
        if (channel === undefined) return;
        truth.group_of.set(channel.channel_id, channel.group_id);
        const ttl_ms =
          kind === 'send'
            ? pick % 9 === 0
              ? 0
              : null
            : kind === 'send_day'
              ? DAY_MS
              : [HOUR_MS, 10 * MINUTE_MS][pick % 2]!;
        this.send(place, channel.channel_id, ttl_ms);
        return;
      }
      case 'edit': {
        const message = this.#message(place, pick);
        const written = message && truth.written.get(message.message_id);
        if (message === undefined || written === undefined) return;
        const text = `${MARKER} ${written.label} by ${name}, version ${written.versions.length + 1}`;
        sim.say(`${name} edits ${written.label}`);
        const { message_id } = message;
        const event_id = sim.command(place, 'edit_message', { message_id, text })?.event_ids[0];
        if (event_id != null) truth.edit(message_id, { event_id, by: me, text });
        return;
      }
      case 'delete': {
        const message = this.#message(place, pick);
        if (message === undefined) return;
        const written = truth.written.get(message.message_id);
        sim.say(`${name} deletes ${written?.label}`);
        const { message_id } = message;
        if (sim.command(place, 'remove_message', { message_id }) !== null) written?.deleted_by.push(me);
        return;
      }
      case 'react': {
        const message = this.#message(place, pick);
        if (message === undefined) return;
        const emoji = `${MARKER} ${pick % 3}`;
        sim.say(`${name} reacts to ${truth.nameOf(message.message_id)}`);
        const event_id = sim.command(place, 'react', { message_id: message.message_id, emoji })?.event_ids[0];
        if (event_id != null) truth.react(message.message_id, event_id);
        return;
      }
      case 'read':
        if (channel !== undefined)
          sim.command(place, 'mark_read', {
            channel_id: channel.channel_id,
            read_until_ms: machine.clock.wall_ms(),
          });
        return;
      case 'channel':
        if (channels.length > 5) return;
        sim.say(`${name} opens a channel`);
        sim.command(place, 'create_channel', {
          name: this.#name(),
          group_id: pick % 3 === 0 ? (private_group() ?? null) : null,
        });
        return;
      case 'rename_channel':
        if (channel === undefined) return;
        sim.say(`${name} renames a channel`);
        sim.command(place, 'rename_channel', { channel_id: channel.channel_id, name: this.#name() });
        return;
      case 'rename_me':
        sim.say(`${name} takes another name`);
        sim.command(place, 'set_profile', { name: this.#name() });
        return;
      case 'disappear':
        if (channel === undefined) return;
        sim.say(`${name} lets messages of a channel disappear`);
        sim.command(place, 'set_retention', {
          channel_id: channel.channel_id,
          ttl_ms: [0, 30 * MINUTE_MS, 2 * HOUR_MS][pick % 3],
        });
        return;
      case 'delete_channel': {
        if (channel === undefined || channels.length < 2) return;
        sim.say(`${name} deletes a channel`);
        if (sim.command(place, 'remove_channel', { channel_id: channel.channel_id }) !== null)
          truth.delete('channel', channel.channel_id, me);
        return;
      }
      case 'group': {
        if (groups().length > 2) return;
        sim.say(`${name} founds a private group`);
        const member_ids = others()
          .filter((_, at) => (pick >> at) % 2 === 0)
          .map(({ user_id }) => user_id);
        sim.command(place, 'create_group', { name: this.#name(), member_ids });
        return;
      }
      case 'group_add': {
        const [group_id, user_id] = [private_group(), another()];
        if (group_id === undefined || user_id === undefined) return;
        sim.say(`${name} puts somebody into a group`);
        sim.command(place, 'add_to_group', { group_id, user_id });
        return;
      }
      case 'group_remove': {
        const [group_id, user_id] = [private_group(), another()];
        if (group_id === undefined || user_id === undefined) return;
        sim.say(`${name} takes somebody out of a group`);
        this.#countOut(place, user_id, () => sim.command(place, 'remove_user', { user_id, group_id }));
        return;
      }
      case 'group_delete': {
        const group_id = private_group();
        if (group_id === undefined) return;
        sim.say(`${name} deletes a group`);
        if (sim.command(place, 'remove_group', { group_id }) !== null) truth.delete('group', group_id, me);
        return;
      }
      case 'direct': {
        const user_id = another();
        if (user_id === undefined) return;
        const made = channels.find(({ group_kind }) => group_kind === 'direct')?.channel_id;
        sim.say(`${name} opens a direct conversation`);
        if (made === undefined || pick % 2 === 0) sim.command(place, 'open_direct', { user_id });
        else this.send(place, made, null);
        return;
      }
      case 'join':
      case 'join_reused':
      case 'link': {
        if (sim.machines.size >= sim.scenario.machines + 3) return;
        if (kind === 'join_reused' && !this.#invites.has(place.key)) return;
        const machine_name = kind === 'link' ? `${name}-${sim.machines.size}` : `guest${sim.machines.size}`;
        const newcomer = sim.machine(machine_name);
        sim.boot(newcomer);
        if (!newcomer.is_on) return;
        if (kind === 'join_reused')
          this.#joinBy(place, newcomer, machine_name, this.#invites.get(place.key)!);
        else this.#join(place, newcomer, kind === 'join' ? machine_name : null);
        return;
      }
      case 'grant':
      case 'revoke': {
        const user_id = another();
        if (user_id === undefined) return;
        const right = ['admin', 'invite', 'delete'][pick % 3];
        sim.say(`${name} ${kind}s ${right}`);
        if (kind === 'grant') sim.command(place, 'grant_right', { user_id, right });
        else this.#countOut(place, user_id, () => sim.command(place, 'revoke_right', { user_id, right }));
        return;
      }
      case 'remove_user': {
        const user_id = another();
        if (user_id === undefined || sim.on.length < 3) return;
        sim.say(`${name} removes a user`);
        this.#countOut(place, user_id, () => sim.command(place, 'remove_user', { user_id, group_id: null }));
        return;
      }
      case 'remove_device': {
        const devices = sim
          .query<{ device_id: Id; is_current: boolean | number }>(place, 'get_devices')
          .filter(({ is_current }) => Boolean(is_current));
        const device = devices[pick % Math.max(1, devices.length)]?.device_id;
        if (device === undefined || sim.on.length < 3) return;
        sim.say(`${name} removes a device`);
        if (sim.command(place, 'remove_device', { device_id: device }) !== null) truth.removed.add(device);
        return;
      }
      case 'leave':
        if (sim.on.length < 3) return;
        sim.say(`${name} leaves`);
        this.#countOut(place, this.#userOf(place), () => sim.command(place, 'leave_network', {}));
        return;
      case 'invite_revoked': {
        const made = sim.command(place, 'create_invite', { uses: 3, ttl_ms: DAY_MS });
        if (made !== null) sim.command(place, 'take_invite_back', { invite_id: made.event_ids[1] });
        return;
      }
      case 'forget_now':
        sim.say(`${name} forgets now${pick % 2 === 0 ? ', whatever may still be on its way' : ''}`);
        try {
          for (const [job, params] of Object.entries(CHAIN))
            machine.runtime.scheduler.runOnce(job, place.identity, pick % 2 === 0 ? params : {});
        } catch (thrown) {
          if (!(thrown instanceof SottoError) || thrown.code !== 'clock_suspect') throw thrown;
          sim.say('  (held: its clock is suspect)');
        }
        return;
      case 'second_network':
        if (sim.places([machine]).length === 1 && pick % 2 === 0) this.#foundNetwork(machine, name);
        else {
          const host = sim
            .places()
            .find((one) => !sim.places([machine]).some((own) => own.network_id === one.network_id));
          if (host !== undefined) this.#join(host, machine, `${name}-2`);
        }
        return;
      default:
    }
  }

  /** What devices of this user make from here on may not count, or may be taken back: where it was not refused. */
  #countOut(place: Place, user_id: Id, order: () => unknown): void {
    const { truth } = this.#sim;
    const devices = this.#sim.query<{ device_id: Id; user_id: Id }>(place, 'get_devices');
    if (order() === null) return;
    for (const row of devices) if (row.user_id === user_id) truth.removed.add(row.device_id);
  }

  /** Says something, and deletes it. */
  #regret(place: Place, pick: number): void {
    const { truth } = this.#sim;
    const channels = this.#channels(place);
    if (channels.length === 0) return;
    const message_id = this.send(place, channels[pick % channels.length]!.channel_id, null);
    if (message_id === null) return;
    const me = place.machine.runtime.engine.identity(place.identity)!.device_id;
    if (this.#sim.command(place, 'remove_message', { message_id }) !== null)
      truth.written.get(message_id)?.deleted_by.push(me);
  }

  // --- what happens to machines and lines ---------------------------------------------------------------------------------------------------------

  /** True if it is one of these. */
  #happens(kind: Kind, machine: Machine, pick: number): boolean {
    const sim = this.#sim;
    const { name, disk, clock } = machine;
    switch (kind) {
      case 'pause':
        return true;
      case 'crash':
      case 'power_cut':
        if (machine.state !== 'on') return true;
        sim.say(
          `${name} will die ${pick % 400} statements from now${kind === 'power_cut' ? ', with its power' : ''}`,
        );
        disk.dieIn(pick % 400, kind === 'power_cut');
        return true;
      case 'crash_erasing': {
        const [place] = machine.state === 'on' ? sim.places([machine]) : [];
        if (place === undefined) return true;
        const moments = Object.entries(ERASING);
        const [moment, statement] = moments[pick % moments.length]!;
        const with_power = pick % 5 === 0;
        this.#try(place, () => this.#regret(place, pick));
        sim.say(`${name} will die when ${moment}${with_power ? ', with its power' : ''}`);
        disk.dieAt(statement, 0, with_power);
        this.#try(place, () => this.#does('forget_now', place, 0));
        return true;
      }
      case 'crash_committing':
        if (machine.state !== 'on') return true;
        sim.say(`${name} will die when something is committed`);
        disk.dieAt(/^COMMIT$/, pick % 7, pick % 3 === 0);
        return true;
      case 'commit_fails': {
        const places = machine.state === 'on' ? sim.places([machine]) : [];
        const place = places[pick % Math.max(1, places.length)];
        if (place === undefined) return true;
        sim.say(`the disk of ${name} is full, which shows as something is committed`);
        sim.marks.seen('a disk was full at the commit of a command');
        disk.failCommits(1 + (pick % 3));
        this.#try(place, () => this.#does('send', place, pick));
        return true;
      }
      case 'reader': {
        const [place] = machine.state === 'on' ? sim.places([machine]) : [];
        if (place === undefined) return true;
        const ms = [2 * MINUTE_MS, 10 * MINUTE_MS, HOUR_MS][pick % 3]!;
        sim.say(`somebody reads the database of ${name} for ${ms / MINUTE_MS} min`);
        this.#try(place, () => this.#regret(place, pick));
        disk.beginReading();
        sim.timeline.after(ms, () => disk.endReading());
        this.#try(place, () => this.#does('forget_now', place, 0));
        return true;
      }
      case 'hears_twice':
        sim.say(`${name} hears everything twice from here on`);
        machine.hears_twice = true;
        return true;
      case 'switch_off':
        if (machine.state !== 'on') return true;
        sim.say(`${name} is switched off`);
        machine.stop();
        sim.timeline.after((1 + (pick % 30)) * MINUTE_MS, () => sim.boot(machine));
        return true;
      case 'crash_now':
        if (machine.state === 'off') return true;
        sim.say(`${name} is killed`);
        machine.crash(pick % 2 === 0);
        sim.timeline.after((pick % 120) * SECOND_MS, () => sim.boot(machine));
        return true;
      case 'disk_full':
      case 'io_error':
        if (machine.state !== 'on') return true;
        sim.say(`the disk of ${name} fails: ${kind}`);
        disk.failFrom(pick % 100, 1 + (pick % 60), kind === 'disk_full' ? 'full' : 'io_error');
        return true;
      case 'lossy':
        sim.say('the lines get worse');
        sim.network.faults = {
          latency_ms: [20, 200, 1_500][pick % 3]!,
          jitter_ms: [10, 400, 3_000][(pick >> 2) % 3]!,
          broken: [0, 0.02, 0.1][(pick >> 4) % 3]!,
          doubled: [0, 0.02, 0.1][(pick >> 6) % 3]!,
          reordered: [0, 0.02, 0.1][(pick >> 8) % 3]!,
          altered: [0, 0.01, 0.05][(pick >> 10) % 3]!,
        };
        return true;
      case 'healed':
        sim.say('the lines are good again');
        sim.network.faults = QUIET;
        sim.network.heal();
        return true;
      case 'storm':
        sim.say('a storm: nearly nothing gets through for a minute');
        this.#storm_ends?.();
        sim.network.faults = { ...QUIET, broken: 0.3, altered: 0.3, doubled: 0.3, reordered: 0.3 };
        this.#storm_ends = sim.timeline.after(MINUTE_MS, () => {
          sim.network.faults = QUIET;
        });
        return true;
      case 'split':
      case 'one_way':
      case 'bridge':
        this.#split(kind, machine, pick);
        return true;
      case 'sleep':
      case 'away': {
        if (machine.state !== 'on') return true;
        const ms = kind === 'sleep' ? (1 + (pick % 90)) * MINUTE_MS : (1 + (pick % 20)) * DAY_MS;
        // Others are not made to live through many days of it.
        const wakes_ms = kind === 'sleep' ? ms : Math.min(ms, 40 * MINUTE_MS);
        sim.say(`${name} sleeps for ${Math.round(wakes_ms / MINUTE_MS)} min`);
        const nap = machine.sleep();
        sim.timeline.after(wakes_ms, () => machine.wake(nap));
        return true;
      }
      case 'wake':
        machine.wake();
        return true;
      case 'wake_some':
      case 'all_sleep':
      case 'holiday': {
        const all = [...sim.machines.values()];
        for (const [at, one] of all.entries())
          if (kind === 'wake_some') {
            if ((pick >> (at % 12)) % 4 !== 0 && !this.#on_holiday.has(one)) one.wake();
          } else if (kind === 'all_sleep') one.sleep();
        if (kind === 'holiday') {
          this.#on_holiday.clear();
          this.#on_holiday.add(all[pick % all.length]!);
        }
        return true;
      }
      case 'clock_ahead':
      case 'clock_back':
      case 'clock_frozen':
      case 'drift': {
        if (machine.state !== 'on') return true;
        sim.say(`the clock of ${name}: ${kind}`);
        const far = [3 * MINUTE_MS, 2 * HOUR_MS, 40 * DAY_MS, 3_650 * DAY_MS][pick % 4]!;
        if (kind === 'clock_ahead') clock.offset_ms += far;
        else if (kind === 'clock_back') clock.offset_ms -= far;
        else if (kind === 'clock_frozen') clock.frozen_ms = clock.wall_ms();
        else clock.drift = ((pick % 200) - 100) / 100_000;
        return true;
      }
      case 'clock_right':
        if (machine.state === 'destroyed') return true;
        sim.say(`the clock of ${name} is set right`);
        clock.right();
        return true;
      case 'backup': {
        if (machine.state !== 'on') return true;
        sim.say(`${name} is backed up`);
        const backup = `backup${machine.backups.length}`;
        disk.backup(backup);
        machine.backups.push(backup);
        this.#backups.set(`${name} ${backup}`, sim.checks.copyOfSeen(machine));
        return true;
      }
      case 'restore': {
        const backup = machine.backups.at(-1 - (pick % 2)) ?? machine.backups.at(-1);
        if (backup === undefined || machine.state === 'destroyed') return true;
        sim.say(`${name} is set back to ${backup}`);
        if (machine.state !== 'off') {
          for (const device of this.#devicesOf(machine)) sim.truth.doubled.add(device);
          machine.crash(false);
        }
        if (!disk.restore(backup)) return true;
        sim.checks.setBack(machine, this.#backups.get(`${name} ${backup}`)!);
        sim.timeline.after(1_000, () => sim.boot(machine));
        return true;
      }
      case 'clone': {
        if (machine.state !== 'on' || sim.machines.size >= sim.scenario.machines + 3) return true;
        const clone_name = `${name}-clone${sim.machines.size}`;
        sim.say(`the disk of ${name} is copied: ${clone_name} is the same device`);
        for (const device of this.#devicesOf(machine)) sim.truth.doubled.add(device);
        disk.backup('clone');
        const clone = sim.machine(clone_name);
        clone.disk.restore('clone', disk);
        sim.clones.add(clone_name);
        sim.marks.seen('two machines were one device');
        sim.checks.setBack(clone, sim.checks.copyOfSeen(machine));
        sim.boot(clone);
        return true;
      }
      case 'destroy':
        if ([...sim.machines.values()].filter(({ state }) => state !== 'destroyed').length < 3) return true;
        sim.say(`${name} is destroyed`);
        machine.destroy();
        sim.marks.seen('a machine was destroyed');
        return true;
      case 'hostile':
        this.#hostile.act(pick);
        return true;
      default:
        return false;
    }
  }

  #devicesOf(machine: Machine): Id[] {
    try {
      return machine.device_ids;
    } catch {
      return [];
    }
  }

  #split(kind: 'split' | 'one_way' | 'bridge', machine: Machine, pick: number): void {
    const sim = this.#sim;
    const all = [...sim.machines.values()];
    const far = all.filter((one, at) => one !== machine && (pick >> at) % 2 === 0);
    const near = all.filter((one) => !far.includes(one));
    sim.say(`${kind}: ${near.map(({ name }) => name)} | ${far.map(({ name }) => name)}`);
    for (const one of near)
      for (const other of far) {
        // Over a bridge both sides still hear of each other.
        if (kind === 'bridge' && one === machine) continue;
        sim.network.cut(one.name, other.name);
        if (kind !== 'one_way') sim.network.cut(other.name, one.name);
      }
    if (kind === 'bridge') sim.timeline.after(5 * MINUTE_MS, () => machine.state === 'on' && machine.sleep());
  }
}

/** What `forget --now` runs, and with what nobody's turn and no grace is waited for. */
const CHAIN: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  ttl_cleanup: {},
  rekey_creation: { turn_ms: 0 },
  delete_rekeyed: {},
  purge_keys: { grace_ms: 0 },
  prekey_replenish: {},
};
/** What happens to machines that are off, too. */
const FOR_ALL: ReadonlySet<Kind> = new Set<Kind>(['clock_right', 'wake', 'restore', 'destroy']);
