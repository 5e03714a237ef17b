/** Mutants: deletion and expiry, keys, and what is left on the disk. */
import {
  everywhere,
  MUCH_IS_DELETED,
  type Mutant,
  mallory,
  malloryBeside,
  NO_GRACE,
  people,
  QUIET,
  SOON_OVER,
  SQL,
} from './mutants.kit.ts';

export const forgetting: readonly Mutant[] = [
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
        find: 'const highest_ms = Math.max(believed_ms, now.wall_ms);',
        replace: 'const highest_ms = now.wall_ms;',
      },
    ],
    // By so little that nobody is asked.
    likelier: [
      everywhere('clock'),
      {
        file: 'sim/scenario.ts',
        find: 'clock: { clock_ahead: 2, clock_back: 2,',
        replace: 'clock: { clock_ahead: 2, clock_back: 20,',
      },
      {
        file: 'sim/people.ts',
        find: 'const far = [3 * MINUTE_MS,',
        replace: 'const far = [3 * MINUTE_MS, 3 * MINUTE_MS, 3 * MINUTE_MS, 3 * MINUTE_MS,',
      },
    ],
    seeds: 60,
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
    likelier: [
      everywhere('partition'),
      ...people(['send', 16, 60], ['delete', 8, 60], ['forget_now', 3, 60]),
    ],
    seeds: 120,
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
    // Who was away hears of it from her first.
    likelier: malloryBeside(['partition', 'sleep'], 'wraps exchanged'),
    seeds: 120,
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
    promises: ['F26', 'L4', 'L9'],
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
      { file: 'sim/scenario.ts', find: 'crash_erasing: 4,', replace: 'crash_erasing: 60,' },
      ...people(['send', 16, 40], ['delete', 8, 40], ['forget_now', 3, 40]),
    ],
    seeds: 200,
  },
  {
    name: 'keys-not-asked-for',
    what: 'A device that cannot open what it was given does not ask for it again.',
    promises: ['L1', 'L2', 'L3'],
    edits: [
      {
        file: `${QUIET}/jobs/keys.ts`,
        find: 'if (open >= REQUESTS_MAX) return [];',
        replace: 'if (open >= 0) return [];',
      },
    ],
    likelier: mallory('a key for some of them'),
    seeds: 40,
  },
  {
    name: 'sealed-anew-for-ever',
    what: 'What is under a clean key is sealed anew, too, at every run of the job.',
    promises: ['L9'],
    edits: [
      {
        file: `${QUIET}/events/rekey/queries.ts`,
        find: 'WHERE k.identity = :identity AND k.dirty_ms IS NOT NULL AND k.slot IS NOT NULL\n      AND (EXISTS',
        replace: 'WHERE k.identity = :identity AND k.slot IS NOT NULL\n      AND (EXISTS',
      },
      {
        file: `${QUIET}/events/rekey/queries.ts`,
        find: 'k.id = :key_id AND k.dirty_ms IS NOT NULL AND k.slot IS NOT NULL AND e.body IS NOT NULL',
        replace: 'k.id = :key_id AND k.slot IS NOT NULL AND e.body IS NOT NULL',
      },
    ],
    seeds: 20,
  },
  {
    name: 'expired-is-kept',
    what: 'What has expired is not shown any more, and stays on the disk.',
    promises: ['L10'],
    edits: [
      {
        file: `${QUIET}/jobs/ttl.ts`,
        find: 'return chunksOf(expired.map((row) => row.event_id)).map(',
        replace: 'return chunksOf(expired.map((row) => row.event_id).slice(0, 0)).map(',
      },
    ],
    likelier: SOON_OVER,
    seeds: 40,
  },
  {
    name: 'edited-never-expires',
    what: 'Of what was edited the first version is not taken off the disk when its time is over.',
    promises: ['L10'],
    edits: [
      {
        file: `${QUIET}/events/delete-event/queries.ts`,
        find: 'AND (body IS NOT NULL OR superseded = 1) AND',
        replace: 'AND body IS NOT NULL AND',
      },
    ],
    likelier: [...SOON_OVER, ...people(['edit', 5, 60])],
    seeds: 60,
  },
  {
    name: 'receipt-despite-a-reader',
    what: 'It is noted that something is erased for good, though somebody still reads what there was before.',
    promises: ['S10'],
    edits: [
      {
        file: 'hosts/purges.ts',
        find: "if (!this.#scrub()) {\n      log('warn', 'purge_waits_for_a_reader'",
        replace: "if (!this.#scrub() && open < 0) {\n      log('warn', 'purge_waits_for_a_reader'",
      },
    ],
    likelier: [everywhere('reader'), NO_GRACE, ...MUCH_IS_DELETED],
    seeds: 60,
  },
];
