/** Messages as the API shows them: sending, reading, changing, reacting to and deleting them. */
import type { MessageView, NodeFacade, Selector, VersionView } from '../../api/facade.ts';
import { SottoError } from '../../core/assert.ts';
import type { Id } from '../../core/fields.ts';
import { NEVER_MS } from '../../core/limits.ts';
import type { Place } from './asking.ts';
import { directChannelsWith } from './channel-list.ts';
import { deliveriesIn } from './delivery-view.ts';
import type { ViewPorts } from './ports.ts';
import { shownExpiry } from './views.ts';

type MessageRow = Omit<MessageView, 'author' | 'reactions' | 'delivery' | 'expires_ms'> & {
  readonly expires_ms: number;
};
type ReactionRow = { readonly message_id: Id; readonly emoji: string; readonly count: number };

export function chatView({
  asking,
  find,
}: ViewPorts): Pick<NodeFacade, 'send' | 'dm' | 'read' | 'react' | 'edit' | 'versions' | 'delete'> {
  async function say({ identity }: Place, channel_id: Id, text: string, ttl_ms: number | null) {
    const message_id = await asking.saySoon('send_message', identity, { channel_id, text, ttl_ms });
    const row = asking.query<{ created_ms: number; expires_ms: number }>(
      'get_message_by_id',
      { message_id },
      identity,
    )[0];
    return {
      message_id,
      channel_id,
      created_ms: row?.created_ms ?? 0,
      expires_ms: shownExpiry(row?.expires_ms ?? NEVER_MS),
    };
  }

  /** Where direct messages to a user go. The first one opens the conversation. */
  function directChannel(network: Place, user_ref: string): { group_id: Id; channel_id: Id } {
    const { user_id, devices } = find.user(network, user_ref);
    if (devices === 0)
      throw new SottoError(
        'already_removed',
        'This user has been removed from the network: nobody would read it.',
      );
    const begun = directChannelsWith(asking, network, user_id)[0];
    if (begun !== undefined) return begun;
    const made = asking.command('open_direct', network.identity, { user_id });
    return { group_id: made.event_ids[0] ?? '', channel_id: made.event_ids.at(-1) ?? '' };
  }

  /** Runs a command about one message. */
  function about(ref: string, selector: Selector, command: string, more: Record<string, unknown> = {}) {
    const network = find.place(selector);
    const message_id = find.message(network, ref);
    return { message_id, event_id: asking.say(command, network.identity, { message_id, ...more }) };
  }

  return {
    async send({ channel_ref, text, ttl_ms, ...selector }) {
      const network = find.place(selector);
      const { channel_id } = channel_ref.startsWith('@')
        ? directChannel(network, channel_ref)
        : find.channel(network, channel_ref);
      return say(network, channel_id, text, ttl_ms);
    },

    async dm({ user_ref, text, ttl_ms, ...selector }) {
      const network = find.place(selector);
      const { group_id, channel_id } = directChannel(network, user_ref);
      return { ...(await say(network, channel_id, text, ttl_ms)), group_id };
    },

    read({ channel_ref, limit, ...selector }): readonly MessageView[] {
      const network = find.place(selector);
      const names = asking.names(network.identity);
      const pages = find
        .channel(network, channel_ref)
        .channel_ids.map((channel_id) => ({ channel_id, limit }));
      const all = <Row>(query: string) =>
        pages.flatMap((page) => asking.query<Row>(query, page, network.identity));
      const reactions = Map.groupBy(all<ReactionRow>('get_reactions'), (row) => row.message_id);
      const deliveries = deliveriesIn(asking, pages, network.identity);
      const rows = all<MessageRow>('get_messages');
      // Each page is in order already; ids begin with the time.
      if (pages.length > 1) rows.sort((a, b) => (a.message_id < b.message_id ? 1 : -1));
      return rows
        .slice(0, limit)
        .reverse()
        .map((row) => ({
          message_id: row.message_id,
          channel_id: row.channel_id,
          author: names.shown(row.author_user_id),
          author_user_id: row.author_user_id,
          text: row.text,
          created_ms: row.created_ms,
          edited_ms: row.edited_ms,
          expires_ms: shownExpiry(row.expires_ms),
          reactions: (reactions.get(row.message_id) ?? []).map(({ emoji, count }) => ({ emoji, count })),
          delivery: deliveries.get(row.message_id) ?? null,
        }));
    },

    react({ message_ref, emoji, ...selector }) {
      const { message_id, event_id } = about(message_ref, selector, 'react', { emoji });
      return { reaction_id: event_id, message_id };
    },

    edit({ message_ref, text, ...selector }) {
      const { message_id, event_id } = about(message_ref, selector, 'edit_message', { text });
      return { message_id, edit_id: event_id };
    },

    versions({ message_ref, ...selector }): readonly VersionView[] {
      const network = find.place(selector);
      const message_id = find.message(network, message_ref);
      const names = asking.names(network.identity);
      return asking
        .query<{ version_id: Id; author_user_id: Id; created_ms: number }>(
          'get_versions',
          { message_id },
          network.identity,
        )
        .map(({ version_id, author_user_id, created_ms }) => ({
          version_id,
          author: names.shown(author_user_id),
          created_ms,
        }));
    },

    delete({ message_ref, ...selector }) {
      const { message_id } = about(message_ref, selector, 'remove_message');
      return { message_id };
    },
  };
}
