/** Keys as the API shows them (never the keys themselves), and where an event stands that may wait for one. */
import type { KeyView, NodeFacade, PrekeyView, WhyView } from '../../api/facade.ts';
import type { Id } from '../../core/fields.ts';
import { madeMs } from './asking.ts';
import { placesOf } from './channel-list.ts';
import type { ViewPorts } from './ports.ts';
import { shownExpiry } from './views.ts';
import { sentenceOn, waitsFor } from './why.ts';

type KeyRow = Omit<KeyView, 'group_kind' | 'group_name' | 'channel_name'> & {
  readonly channel_id: Id | null;
};
type PrekeyRow = Omit<PrekeyView, 'user_name'> & { readonly user_id: Id };

export function keysView({ asking, find }: ViewPorts): Pick<NodeFacade, 'keys' | 'prekeys' | 'why'> {
  return {
    keys(input): readonly KeyView[] {
      const network = find.select(input);
      const places = placesOf(asking, network);
      const kinds = new Map<Id, KeyView['group_kind']>([[network.network_id, 'main']]);
      for (const { group_id, kind } of asking.groups(network.identity)) kinds.set(group_id, kind);
      return asking
        .query<KeyRow>('get_keys', {}, network.identity)
        .map(({ channel_id, expires_ms, ...key }) => ({
          ...key,
          group_kind: kinds.get(key.group_id) ?? null,
          group_name: places.get(key.group_id) ?? null,
          channel_name: channel_id === null ? null : (places.get(channel_id) ?? null),
          expires_ms: expires_ms === null ? null : shownExpiry(expires_ms),
        }));
    },

    prekeys(input): readonly PrekeyView[] {
      const { identity } = find.select(input);
      const names = asking.names(identity);
      return asking
        .query<PrekeyRow>('get_prekeys', {}, identity)
        .map(({ user_id, ...prekey }) => ({ ...prekey, user_name: names.of(user_id) }));
    },

    why({ event_ref, ...selector }): WhyView {
      const network = find.select(selector);
      const row = find.event(network, event_ref);
      const { event_id, type, author, author_user_id, standing, rule } = row;
      const missing =
        standing === 'waiting'
          ? asking.query<{ missing: Id }>('get_missing', { event_id }, network.identity)
          : [];
      return {
        event_id,
        type,
        author:
          author_user_id === null
            ? `device ${author?.slice(0, 8) ?? 'unknown'}`
            : asking.names(network.identity).shown(author_user_id),
        created_ms: madeMs(event_id),
        standing,
        rule,
        text: sentenceOn(row),
        waits_for: standing === 'waiting' ? waitsFor(row, missing) : [],
      };
    },
  };
}
