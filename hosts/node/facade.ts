/**
 * The running node as its API shows it: the views by subject together, what the node itself is, and what its subscribers are told.
 */
import type { Change, NetworkView, NodeFacade, StatusView } from '../../api/facade.ts';
import type { AfterCommit } from '../../core/outcome.ts';
import { Asking, type NetworkRow } from './asking.ts';
import { catchingUp, FETCH_STALE_MS, type FetchRow } from './catching-up.ts';
import { channelsView } from './channels-view.ts';
import { chatView } from './chat-view.ts';
import { deliveryView } from './delivery-view.ts';
import { Finder } from './finder.ts';
import { forgettingView } from './forgetting-view.ts';
import { groupsView } from './groups-view.ts';
import { invitesView } from './invites-view.ts';
import { jobsView } from './jobs-view.ts';
import { Joins } from './joins.ts';
import { keysView } from './keys-view.ts';
import { LAN_OFF } from './lan/lan.ts';
import { membersView } from './members-view.ts';
import { networksView } from './networks-view.ts';
import type { Parts } from './node.ts';
import type { ViewPorts } from './ports.ts';
import { protocolView } from './protocol-view.ts';
import { VERSION } from './version.ts';
import { traceView } from './views.ts';

export interface NodeAbout {
  readonly data_dir: string;
  readonly protocol: string;
  /** `host:port` under which other nodes reach this one. */
  readonly announced: string;
  /** Where the API is served, once it is. */
  readonly api: () => string;
}

export interface NodeView extends NodeFacade {
  /** Takes note of what a commit has changed, and tells subscribers. */
  changed(effects: readonly AfterCommit[]): void;
  close(): void;
}

export function nodeView(parts: Parts, about: NodeAbout): NodeView {
  const asking = new Asking(parts.engine);
  const ports: ViewPorts = { parts, asking, find: new Finder(asking), announced: about.announced };
  const joins = new Joins(ports);
  return {
    ...networksView(ports, joins),
    ...invitesView(ports, joins),
    ...membersView(ports),
    ...groupsView(ports),
    ...channelsView(ports),
    ...chatView(ports),
    ...deliveryView(ports),
    ...keysView(ports),
    ...forgettingView(ports),
    ...jobsView(ports),
    ...protocolView(ports),
    ...nodeItself(ports, about),
    ...changes(ports, joins),
    close: () => {
      asking.close();
      joins.close();
    },
  };
}

function nodeItself(
  { parts, asking }: ViewPorts,
  about: NodeAbout,
): Pick<NodeFacade, 'status' | 'trace' | 'followTrace'> {
  const { engine, scheduler, clock, started_ms } = parts;

  function networkView({ identity, ...network }: NetworkRow): NetworkView {
    const waiting = asking.query<{ rule: string; waiting: number }>('get_waiting', {}, identity);
    const now_ms = clock.wall_ms();
    const fetches = asking.query<FetchRow>('get_fetches', { since_ms: now_ms - FETCH_STALE_MS }, identity);
    return {
      ...network,
      waiting_by_rule: Object.fromEntries(waiting.map((row) => [row.rule, row.waiting])),
      catching_up: catchingUp(fetches, now_ms),
    };
  }

  return {
    status(): StatusView {
      const { suspect, reason } = scheduler.clockStatus();
      return {
        version: VERSION,
        pid: process.pid,
        data_dir: about.data_dir,
        started_ms,
        now_ms: clock.wall_ms(),
        listen: about.announced,
        api: about.api(),
        protocol: about.protocol,
        networks: asking.networks().map(networkView),
        counters: Object.fromEntries([...engine.pipeline.counters].sort(([a], [b]) => (a < b ? -1 : 1))),
        clock: { suspect, reason },
        next_job_due_ms: scheduler.nextDueMs(),
        lan: parts.lan?.status() ?? LAN_OFF,
      };
    },

    trace: (limit, since) => engine.trace.read(limit, since).map(traceView),
    followTrace: (listener) => engine.trace.follow((entry) => listener(traceView(entry))),
  };
}

function changes({ asking }: ViewPorts, joins: Joins): Pick<NodeView, 'subscribe' | 'changed'> {
  const subscribers = new Set<(change: Change) => void>();
  let count = 0;

  return {
    subscribe(listener) {
      subscribers.add(listener);
      return () => subscribers.delete(listener);
    },

    changed(effects) {
      joins.changed(effects);
      for (const effect of effects) {
        if (effect.effect !== 'changed') continue;
        count += 1;
        if (subscribers.size === 0) continue;
        const network_id = asking.networkOf(effect.identity);
        const change: Change = { change: count, network_id, type: effect.type, event_id: effect.event_id };
        for (const listener of subscribers) listener(change);
      }
    },
  };
}
