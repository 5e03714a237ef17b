/** Programs that are broken in one rule each, and the promises that have to notice. */

/** A text that is in the file once, and what stands there instead. */
export interface Edit {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export interface Mutant {
  readonly name: string;
  /** What is not so any more. */
  readonly what: string;
  /** Any of these is enough. */
  readonly promises: readonly string[];
  readonly edits: readonly Edit[];
  /** What the simulator does more often for this, where it would take thousands of seeds otherwise. It changes no check. */
  readonly likelier?: readonly Edit[];
  /** At most so many, from `from` on (1). */
  readonly seeds: number;
  readonly from?: number;
}

const QUIET = 'protocols/quiet';
/** Where the tables and views of the protocol are, as they are run. */
const SQL = `${QUIET}/registry.gen.ts`;

/** What people do, and how often: so many times as much of it. */
const people = (...weights: readonly [string, number, number][]): readonly Edit[] =>
  weights.map(([kind, from, to]) => ({
    file: 'sim/scenario.ts',
    find: `\n  ${kind}: ${from},\n`,
    replace: `\n  ${kind}: ${to},\n`,
  }));
/** Every scenario has these faults. */
const everywhere = (...classes: readonly string[]): Edit => ({
  file: 'sim/scenario.ts',
  find: 'if (chance.holds(share))',
  replace: `if (chance.holds(share) || [${classes.map((name) => `FAULTS.${name}`).join()}].includes(faults as never))`,
});
/** Mallory is in every scenario, busy, and does only this. */
const mallory = (...kinds: readonly string[]): readonly Edit[] => [
  everywhere('hostile'),
  {
    file: 'sim/scenario.ts',
    find: 'hostile: { hostile: 10 },',
    replace: 'hostile: { hostile: 60 },',
  },
  {
    file: 'sim/hostile.ts',
    find: 'const kind = KINDS[pick % (KINDS.length + STRANGE)];',
    replace: `const kind = ${JSON.stringify(kinds)}[pick % ${kinds.length}] as (typeof KINDS)[number];`,
  },
];
const MUCH_IS_DELETED = people(['send', 16, 40], ['delete', 8, 40]);
/** Dirty keys go as soon as they may. */
const NO_GRACE: Edit = {
  file: 'sim/scenario.ts',
  find: 'grace_ms: 90_000',
  replace: 'grace_ms: 1_000',
};
const MANY_ARE_REMOVED = people(['remove_user', 1, 8], ['remove_device', 1, 4], ['send', 16, 40]);

export const mutants: readonly Mutant[] = [
  // --- who wrote what, and who belongs ------------------------------------------------------------------------------------------------------------
  {
    name: 'signature-not-verified',
    what: 'Anybody writes in the name of anybody.',
    promises: ['S3'],
    edits: [
      {
        file: `${QUIET}/handlers/verify.ts`,
        find: "      return reject('bad_signature');",
        replace: "      context.count('bad_signature');",
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
        find: "if (open.identity === identity && this.#holds('is_removed_device', identity, open.device_id)) {",
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

  // --- deletion and expiry -------------------------------------------------------------------------------------------------------------------------
  {
    name: 'no-tombstones',
    what: 'What was deleted is not recognised when somebody offers it again.',
    promises: ['S7', 'S19', 'L2'],
    edits: [
      {
        file: `${QUIET}/handlers/kill.ts`,
        find: "  return { event_id, after: { effect: 'changed', identity, type: row.type as string, event_id } };",
        replace:
          "  removeEvent(context, n);\n  return { event_id, after: { effect: 'changed', identity, type: row.type as string, event_id } };",
      },
    ],
    likelier: [everywhere('partition'), ...MUCH_IS_DELETED],
    seeds: 60,
  },
  {
    name: 'expired-is-shown',
    what: 'Messages are shown until they are taken off the disk.',
    promises: ['S7'],
    edits: [
      {
        file: SQL,
        find: 'FROM event e WHERE e.body IS NOT NULL AND e.expires_ms > now_ms();',
        replace: 'FROM event e WHERE e.body IS NOT NULL;',
      },
      {
        file: SQL,
        find: 'WHERE e.expires_ms > now_ms() AND c.body IS NOT NULL;',
        replace: 'WHERE c.body IS NOT NULL;',
      },
    ],
    likelier: people(['send_hour', 4, 40]),
    seeds: 60,
  },
  {
    name: 'clock-back-shows-expired',
    what: 'It is as late as the clock says, though it was later before.',
    promises: ['S7', 'S20'],
    edits: [
      {
        file: 'core/clock-guard.ts',
        find: 'const highest_ms = Math.max(stored.highest_ms ?? 0, now.wall_ms);',
        replace: 'const highest_ms = now.wall_ms;',
      },
    ],
    likelier: [everywhere('clock')],
    seeds: 120,
  },
  {
    name: 'expires-a-day-early',
    what: 'What has a day to live is taken off the disk.',
    promises: ['S5', 'S8'],
    edits: [
      {
        file: `${QUIET}/handlers/delete.ts`,
        find: 'if (row === undefined || (row.expires_ms as number) > context.now_ms) return [];',
        replace: 'if (row === undefined) return [];',
      },
      {
        file: `${QUIET}/events/delete-event/queries.ts`,
        find: 'expires_ms < 9007199254740991 AND expires_ms <= :current_time_ms',
        replace: 'expires_ms < 9007199254740991 AND expires_ms <= :current_time_ms + 86400000',
      },
    ],
    seeds: 20,
  },
  {
    name: 'suspect-clock-destroys',
    what: 'Jobs that destroy run although the clock is suspect.',
    promises: ['S4', 'S5', 'S8', 'L2'],
    edits: [
      {
        file: 'core/job-run.ts',
        find: 'spec.job?.value.options.destructive === true;',
        replace: 'spec.job === undefined;',
      },
    ],
    likelier: [everywhere('clock'), ...people(['send_day', 3, 40])],
    seeds: 200,
  },
  {
    name: 'newest-arrival-wins',
    what: 'Of several edits the one that arrives last is shown.',
    promises: ['S1', 'S5', 'S7', 'L2'],
    edits: [
      {
        file: `${QUIET}/events/edit/projector.ts`,
        find: 'event.created_ms > latest.created_ms ||',
        replace: 'event.created_ms > 0 ||',
      },
    ],
    likelier: mallory('words as anybody says them', 'edits and deletions of what she said, out of order'),
    seeds: 120,
  },
  {
    name: 'newest-name-arrived-wins',
    what: 'A channel has the name that arrived last.',
    promises: ['L2'],
    edits: [
      {
        file: `${QUIET}/events/channel/queries.ts`,
        find: 'x.of_id = e.id ORDER BY t.created_ms DESC, t.seq DESC, t.id DESC LIMIT 1',
        replace: 'x.of_id = e.id ORDER BY t.n DESC LIMIT 1',
      },
    ],
    likelier: [everywhere('partition'), ...people(['rename_channel', 1, 20])],
    seeds: 200,
  },

  // --- keys ----------------------------------------------------------------------------------------------------------------------------------------
  {
    name: 'purged-though-needed',
    what: 'Whether something that lives is under a key is not asked before it is erased.',
    promises: ['S4'],
    edits: [
      {
        file: `${QUIET}/handlers/purge.ts`,
        find: 'if (context.statement(NEEDED).get({ n: key.n, key_id: id, identity, now_ms }) !== undefined) {',
        replace: 'if (context.statement(NEEDED).get({ n: key.n, key_id: id, identity, now_ms }) === null) {',
      },
    ],
    likelier: [NO_GRACE, everywhere('sleep', 'crash'), ...MUCH_IS_DELETED],
    seeds: 120,
  },
  {
    name: 'wraps-go-unchecked',
    what: 'Wraps under dirty keys go although no clean key opens the event.',
    promises: ['S4'],
    edits: [
      {
        file: `${QUIET}/handlers/delete.ts`,
        find: 'import { cleanWinnersOf, dropDirtyWraps, markNeeded, openWinner, type Winner }',
        replace:
          'import { winnersOf as cleanWinnersOf, dropDirtyWraps, markNeeded, openWinner, type Winner }',
      },
    ],
    likelier: MUCH_IS_DELETED,
    seeds: 200,
  },
  {
    name: 'commitment-unchecked',
    what: 'Whether a wrap holds the key that the author committed to is not asked.',
    promises: ['S4', 'S6', 'L2'],
    edits: [
      {
        file: `${QUIET}/handlers/wraps.ts`,
        find: 'if (opened === null || commitmentTo(opened) === key_commitment) return opened;',
        replace: 'if (opened !== undefined) return opened;',
      },
    ],
    likelier: mallory('wraps exchanged'),
    seeds: 200,
  },
  {
    name: 'one-nonce-for-all-wraps',
    what: 'Wraps under one key have the same nonce.',
    promises: ['S13'],
    edits: [
      {
        file: `${QUIET}/handlers/content-key.ts`,
        find: 'return blake2b256(WRAP, bytesOf(event_id), bytesOf(key_id)).subarray(0, seal_nonce_bytes);',
        replace: 'return BODY_NONCE;',
      },
    ],
    seeds: 5,
  },
  {
    name: 'dirty-keys-seal-on',
    what: 'New events are sealed under keys that must go.',
    promises: ['S4', 'L4', 'L9'],
    edits: [
      {
        file: `${QUIET}/handlers/group-keys.ts`,
        find: 'AND k.slot IS NOT NULL AND k.dirty_ms IS NULL AND k.expires_ms > :now_ms\n    AND k.expires_ms >= :expires_ms',
        replace: 'AND k.slot IS NOT NULL AND k.expires_ms > :now_ms\n    AND k.expires_ms >= :expires_ms',
      },
    ],
    seeds: 60,
  },
  {
    name: 'dirt-not-heard',
    what: 'That a key is dirty is not believed of others.',
    promises: ['L2', 'L3', 'L4', 'L9'],
    edits: [
      {
        file: `${QUIET}/handlers/dirty.ts`,
        find: 'if (n !== null) makeDirty(context, n);',
        replace: 'if (n === -1) makeDirty(context, n);',
      },
    ],
    likelier: MUCH_IS_DELETED,
    seeds: 120,
  },
  {
    name: 'no-rekeying',
    what: 'Nothing is sealed anew, so that dirty keys are needed for ever.',
    promises: ['L4', 'L9'],
    edits: [
      {
        file: `${QUIET}/jobs/rekey.ts`,
        find: 'const sealed_anew = rewraps(query, ctx.now_ms, turn_ms);',
        replace: 'const sealed_anew = rewraps(query, ctx.now_ms, turn_ms).slice(0, 0);',
      },
    ],
    seeds: 40,
  },
  {
    name: 'sealed-anew-twice',
    what: 'One instruction to seal anew names what is under two dirty keys twice.',
    promises: ['S15', 'L4', 'L9'],
    edits: [
      {
        file: `${QUIET}/jobs/rekey.ts`,
        find: 'if (listed.has(event_id)) continue;',
        replace: '',
      },
      {
        file: `${QUIET}/handlers/rekey.ts`,
        find: 'for (const event_id of new Set(event_ids)) {',
        replace: 'for (const event_id of event_ids) {',
      },
    ],
    likelier: MUCH_IS_DELETED,
    seeds: 200,
  },
  {
    name: 'keys-not-given',
    what: 'Nobody is given the keys that there are.',
    promises: ['L2', 'L3'],
    edits: [
      {
        file: `${QUIET}/rules/deliveries.ts`,
        find: '    .filter(is_due)',
        replace: '    .filter((owed) => is_due(owed) && of.key_id === owed.device_id)',
      },
    ],
    seeds: 20,
  },
  {
    name: 'prekeys-run-out',
    what: 'No new prekeys are made when few are left.',
    promises: ['L6'],
    edits: [
      {
        file: `${QUIET}/jobs/prekeys.ts`,
        find: 'return usable < PREKEYS_MIN ? newPrekeys() : [];',
        replace: 'return usable < 0 ? newPrekeys() : [];',
      },
    ],
    likelier: [everywhere('clock')],
    seeds: 120,
  },

  // --- what is left on the disk -----------------------------------------------------------------------------------------------------------------------
  {
    name: 'slot-not-zeroed',
    what: 'A slot whose secret is erased keeps its bytes.',
    promises: ['S10'],
    edits: [
      {
        file: `${QUIET}/handlers/key-slot.ts`,
        find: 'UPDATE key_slot SET secret = zeroblob(32) WHERE id = :slot',
        replace: 'UPDATE key_slot SET secret = secret WHERE id = :slot',
      },
    ],
    seeds: 20,
  },
  {
    name: 'log-not-scrubbed',
    what: 'What was erased stays in the write-ahead log.',
    promises: ['S10'],
    edits: [
      {
        file: 'storage/scrub-log.ts',
        find: 'return steps.every((step) => step.run(db, path));',
        replace: "return steps.every((step) => step.name !== 'restart' || step.run(db, path));",
      },
    ],
    seeds: 20,
  },
  {
    name: 'words-in-clear',
    what: 'An index of what people say is kept in the database.',
    promises: ['S11'],
    edits: [
      {
        file: `${QUIET}/handlers/sign.ts`,
        find: 'const addressed = addresseesOf(draft, me, envelope, context);',
        replace:
          "context.statement('CREATE TABLE IF NOT EXISTS spoken (words TEXT)').run();\n    if (typeof body.text === 'string') context.statement('INSERT INTO spoken VALUES (:words)').run({ words: body.text });\n    const addressed = addresseesOf(draft, me, envelope, context);",
      },
    ],
    seeds: 5,
  },
  {
    name: 'query-gives-secrets',
    what: 'A query tells the key instead of its name.',
    promises: ['S14'],
    edits: [
      {
        file: `${QUIET}/pipeline.ts`,
        find: "secret_tables: ['key_slot', 'key_slot_use', 'key_slot_lock'],",
        replace: 'secret_tables: [],',
      },
      {
        file: `${QUIET}/events/rekey/queries.ts`,
        find: 'SELECT k.id AS key_id, k.group_id, k.channel_id FROM group_key k',
        replace:
          'SELECT (SELECT s.secret FROM key_slot s WHERE s.id = k.slot) AS key_id, k.group_id, k.channel_id FROM group_key k',
      },
    ],
    seeds: 20,
  },
  {
    name: 'no-receipts',
    what: 'That something is erased for good is never noted.',
    promises: ['L4', 'L5'],
    edits: [
      {
        file: 'hosts/purges.ts',
        find: "engine.instruct(0, 'purges', 'purge-receipt', { until });",
        replace: '',
      },
    ],
    seeds: 20,
  },
  {
    name: 'purge-not-finished-after-crash',
    what: 'What was being erased when a process ended is not finished by the next.',
    promises: ['L4', 'L5'],
    edits: [
      {
        file: 'hosts/purges.ts',
        find: "this.#ports.log('warn', 'log_not_scrubbed', {});\n    this.finish();",
        replace: "this.#ports.log('warn', 'log_not_scrubbed', {});",
      },
    ],
    likelier: [
      everywhere('crash'),
      NO_GRACE,
      { file: 'sim/scenario.ts', find: 'crash: { crash: 6,', replace: 'crash: { crash: 80,' },
      ...people(['send', 16, 40], ['delete', 8, 40], ['forget_now', 3, 40]),
    ],
    seeds: 200,
  },

  // --- storage, time, jobs ----------------------------------------------------------------------------------------------------------------------------
  {
    name: 'commit-fails-silently',
    what: 'A commit that the disk refused counts as done.',
    promises: ['S19'],
    edits: [
      {
        file: 'core/pipeline.ts',
        find: "      result = body(this.#transaction(now_ms));\n      this.#statement('COMMIT').run();",
        replace:
          "      result = body(this.#transaction(now_ms));\n      try {\n        this.#statement('COMMIT').run();\n      } catch {\n        this.#rollback();\n      }",
      },
    ],
    likelier: [everywhere('crash', 'disk')],
    seeds: 200,
  },
  {
    name: 'stored-twice',
    what: 'What is here already is stored once more.',
    promises: ['S1', 'S2', 'S15', 'S16', 'L2', 'L8'],
    edits: [
      {
        file: SQL,
        find: 'CREATE UNIQUE INDEX IF NOT EXISTS event_by_id',
        replace: 'CREATE INDEX IF NOT EXISTS event_by_id',
      },
      {
        file: `${QUIET}/handlers/verify.ts`,
        find: "if (standing !== 'unknown') return duplicate;",
        replace: '',
      },
    ],
    seeds: 20,
  },
  {
    name: 'other-networks-shown',
    what: 'A query shows the channels of all networks of a machine.',
    promises: ['S18'],
    edits: [
      {
        file: `${QUIET}/events/channel/queries.ts`,
        find: 'WHERE e.identity = :identity ORDER BY e.created_ms, e.seq, e.id LIMIT 5000',
        replace: 'WHERE :identity IS NOT NULL ORDER BY e.created_ms, e.seq, e.id LIMIT 5000',
      },
    ],
    likelier: people(['second_network', 1, 10]),
    seeds: 60,
  },
  {
    name: 'waiting-without-bound',
    what: 'Of one author any number of events may wait.',
    promises: ['S17'],
    edits: [
      {
        file: 'core/limits.ts',
        find: 'waiting_per_author_max: 1_000,',
        replace: 'waiting_per_author_max: 50,',
      },
      {
        file: `${QUIET}/handlers/waiting.ts`,
        find: 'const most = Math.max(quota, is_member ? limits.waiting_per_author_max : WAITING_PER_STRANGER_MAX);',
        replace: 'const most = Math.max(quota, is_member ? 1e9 : WAITING_PER_STRANGER_MAX);',
      },
    ],
    likelier: mallory('what waits for what there is not'),
    seeds: 120,
  },
  {
    name: 'held-for-ever',
    what: 'Jobs that a suspect clock has held are not taken up again.',
    promises: ['L4', 'L7', 'L9'],
    edits: [
      {
        file: 'core/scheduler.ts',
        find: "if (look.cleared) this.#rows.unpark('held', look.now_ms);",
        replace: '',
      },
    ],
    likelier: [everywhere('clock')],
    seeds: 120,
  },
  {
    name: 'jobs-wait-for-old-time',
    what: 'After the clock was set back jobs wait until it is as late again.',
    promises: ['L2', 'L3', 'L4', 'L7', 'L9'],
    edits: [
      {
        file: 'core/scheduler.ts',
        find: 'if (look.went_back)\n',
        replace: 'if (look.now_ms < 0)\n',
      },
    ],
    likelier: [everywhere('clock')],
    seeds: 120,
  },
  {
    name: 'a-job-starves',
    what: 'One of the jobs that are due is never taken.',
    promises: ['L7'],
    edits: [
      {
        file: 'core/schedule-rows.ts',
        find: 'SELECT min(next_due_ms) AS earliest FROM job_schedule',
        replace: "SELECT min(next_due_ms) AS earliest FROM job_schedule WHERE job <> \\'close_groups\\'",
      },
      {
        file: 'core/schedule-rows.ts',
        find: 'SELECT * FROM job_schedule WHERE next_due_ms <= :now_ms ORDER BY',
        replace: "SELECT * FROM job_schedule WHERE next_due_ms <= :now_ms AND job <> 'close_groups' ORDER BY",
      },
    ],
    seeds: 5,
  },

  // --- sync -----------------------------------------------------------------------------------------------------------------------------------------
  {
    name: 'no-rounds-of-sync',
    what: 'Nobody begins to compare what there is.',
    promises: ['L2', 'L3'],
    edits: [
      {
        file: `${QUIET}/jobs/sync.ts`,
        find: 'query(getActivePeers, { network_id: params.network_id }).map(',
        replace: 'query(getActivePeers, { network_id: params.network_id }).slice(0, 0).map(',
      },
    ],
    seeds: 20,
  },
  {
    name: 'waits-for-ever',
    what: 'What waited for an event is not taken up when that has come.',
    promises: ['L3'],
    edits: [
      {
        file: `${QUIET}/handlers/release.ts`,
        find: 'const released = takeReleasedBy(context, identity, event.event_id, cause);',
        replace: 'const released = takeReleasedBy(context, identity, event.event_id, cause).slice(0, 0);',
      },
    ],
    seeds: 40,
  },
  {
    name: 'fingerprints-differ',
    what: 'Equal sets have different fingerprints.',
    promises: ['L8'],
    edits: [
      {
        file: `${QUIET}/reconcile/fingerprint.ts`,
        find: 'start: () => ({ words: new Uint32Array(8), count: 0 }),',
        replace: 'start: () => ({ words: new Uint32Array(8).fill((salt += 1)), count: 0 }),',
      },
      {
        file: `${QUIET}/reconcile/fingerprint.ts`,
        find: 'export function installFingerprint(',
        replace: 'let salt = 0;\nexport function installFingerprint(',
      },
    ],
    seeds: 10,
  },
  {
    name: 'dead-is-offered-again',
    what: 'Peers are not told which events are known and not wanted.',
    promises: ['L8'],
    edits: [
      {
        file: `${QUIET}/events/sync/queries.ts`,
        find: '} AND (body IS NULL OR expires_ms <= :cut_ms) AND ',
        replace: '} AND n < 0 AND ',
      },
    ],
    seeds: 60,
  },
];
