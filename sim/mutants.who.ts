/** Mutants: who wrote what, who belongs, and what others are told. */
import { everywhere, MANY_ARE_REMOVED, type Mutant, mallory, people, QUIET } from './mutants.kit.ts';

export const who: readonly Mutant[] = [
  {
    name: 'signature-not-verified',
    what: 'Anybody writes in the name of anybody.',
    promises: ['S3'],
    edits: [
      {
        file: `${QUIET}/handlers/verify.ts`,
        find: "if (!holds) return reject('bad_signature');",
        replace: "if (!holds) context.count('bad_signature');",
      },
    ],
    likelier: mallory('nonsense'),
    seeds: 200,
  },
  {
    name: 'other-types-from-the-network',
    what: 'What only a node itself may tell itself is done when another device says it.',
    promises: ['S9'],
    edits: [
      {
        file: `${QUIET}/handlers/receive.ts`,
        find: "if (type.class === 'local') return 'local_type_from_network';\n  if (type.class !== 'transient')",
        replace: "if (type.class !== 'transient' && type.class !== 'local')",
      },
    ],
    likelier: mallory('nonsense'),
    seeds: 60,
  },
  {
    name: 'strangers-count',
    what: 'Events of devices that nobody has let in count.',
    promises: ['S3'],
    edits: [
      {
        file: `${QUIET}/handlers/resolve-deps.ts`,
        find: 'if (strangers.length > 0) return',
        replace: 'if (strangers.length < 0) return',
      },
    ],
    likelier: mallory('nonsense'),
    seeds: 200,
  },
  {
    name: 'anybody-deletes',
    what: 'Who wrote a message, and who has the right to delete, is not asked.',
    promises: ['S8'],
    edits: [
      {
        file: `${QUIET}/events/delete-message/projector.ts`,
        find: "return mayActBy(query, event.author, event.body.basis_id, 'delete');",
        replace: 'return true;',
      },
    ],
    likelier: mallory('nonsense'),
    seeds: 200,
  },
  {
    name: 'anybody-edits',
    what: 'Whose message it is that is edited is not asked.',
    promises: ['S3', 'S6'],
    edits: [
      {
        file: `${QUIET}/events/edit/projector.ts`,
        find: 'return event.target !== null && editor !== undefined && editor === userOf(event.target.author);',
        replace: 'return event.target !== null && editor !== undefined;',
      },
    ],
    likelier: mallory('nonsense'),
    seeds: 200,
  },
  {
    name: 'removed-goes-on-writing',
    what: 'What a removed device writes after its removal counts where it arrives later.',
    promises: ['S12', 'L2'],
    edits: [
      {
        file: `${QUIET}/handlers/resolve-deps.ts`,
        find: 'if (cut !== null && !isLinked(',
        replace: 'if (cut === undefined && !isLinked(',
      },
    ],
    likelier: [everywhere('partition'), ...MANY_ARE_REMOVED],
    seeds: 120,
  },
  {
    name: 'removed-is-served',
    what: 'Sessions with removed devices go on, and they are answered.',
    promises: ['S12'],
    edits: [
      {
        file: `${QUIET}/handlers/receive.ts`,
        find: "if (isRemoved(envelope, context)) return reject('sender_removed');",
        replace: '',
      },
      {
        file: 'hosts/sessions.ts',
        find: "if (this.#holds('is_removed_device', identity, device_id)) return 'removed';",
        replace: '',
      },
      {
        file: 'hosts/sessions.ts',
        find: "if (this.#holds('is_removed_device', identity, open.device_id)) {",
        replace: 'if (open.identity < 0) {',
      },
    ],
    likelier: MANY_ARE_REMOVED,
    seeds: 60,
  },
  {
    name: 'removed-is-given-keys',
    what: 'New keys go to removed devices, too.',
    promises: ['S12'],
    edits: [
      {
        file: `${QUIET}/events/key/queries.ts`,
        find: 'i.network_id AS group_id, c.device FROM current_device c',
        replace: 'i.network_id AS group_id, c.device FROM member_device c',
      },
    ],
    likelier: MANY_ARE_REMOVED,
    seeds: 60,
  },
  {
    name: 'removed-reads-on',
    what: 'Keys that a removed device has go on being used.',
    promises: ['S12'],
    edits: [
      {
        file: `${QUIET}/handlers/group-keys.ts`,
        find: "c.device IN (d.device, e.author) AND c.group_id IN (x'', k.group_id))",
        replace: 'c.device IS NULL)',
      },
    ],
    likelier: MANY_ARE_REMOVED,
    seeds: 60,
  },
  {
    name: 'group-removals-not-told',
    what: 'Who is removed from a private group hears nothing of it.',
    promises: ['L1', 'L8'],
    edits: [
      {
        file: 'hosts/sessions.ts',
        find: "const said = farewell(this.#ports.engine, open.identity, open.device_id, 'groups');",
        replace: 'const said = null as ReturnType<typeof farewell>;',
      },
    ],
    // Who is connected hears of it as of everything else, a moment before being out.
    likelier: [everywhere('partition', 'sleep'), ...people(['group', 1, 20], ['group_remove', 1, 40])],
    seeds: 60,
  },
  {
    name: 'strangers-are-served',
    what: 'Whoever asks is answered with events, member or not.',
    promises: ['S12', 'S17'],
    edits: [
      {
        file: `${QUIET}/events/sync/reflectors.ts`,
        find: 'if (query(isMember, { device_id: session.device_id }).length === 0) {',
        replace: 'if (query(isMember, { device_id: session.device_id }).length < 0) {',
      },
    ],
    seeds: 20,
  },
];
