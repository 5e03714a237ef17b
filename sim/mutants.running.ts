/** Mutants: storage, time, jobs, sync. */
import { everywhere, MUCH_IS_DELETED, type Mutant, mallory, people, QUIET, SQL } from './mutants.kit.ts';

export const running: readonly Mutant[] = [
  {
    name: 'commit-fails-silently',
    what: 'A commit that the disk refused counts as done.',
    promises: ['S19'],
    edits: [
      {
        file: 'core/pipeline.ts',
        find: "      this.#statement('COMMIT').run();",
        replace:
          "      try {\n        this.#statement('COMMIT').run();\n      } catch {\n        this.#rollback();\n      }",
      },
    ],
    likelier: [everywhere('disk')],
    seeds: 20,
  },
  {
    name: 'stored-twice',
    what: 'What is here already is stored once more.',
    promises: ['S2'],
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

  {
    name: 'no-rounds-of-sync',
    what: 'Nobody begins to compare what there is.',
    promises: ['L2', 'L3'],
    edits: [
      {
        file: `${QUIET}/jobs/sync.ts`,
        find: '.filter((peer) => !busy.has(peer.session_id))',
        replace: '.filter((peer) => busy.has(peer.session_id))',
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
        replace: 'const released: VerifiedEnvelope[] = [];',
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
        find: 'return sha256(Uint8Array.from([...sum, ...digits.reverse()]))',
        replace: 'return sha256(Uint8Array.from([...sum, ...digits.reverse(), (salt = (salt + 1) & 255)]))',
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
        find: ' AND body IS NULL AND coalesce(group_n, 0) IN ',
        replace: ' AND body IS NULL AND n < 0 AND coalesce(group_n, 0) IN ',
      },
    ],
    seeds: 60,
  },
  {
    name: 'a-type-is-not-sent',
    what: 'One kind of event, which nobody sees, is sent to nobody.',
    promises: ['L1'],
    edits: [
      {
        file: `${QUIET}/handlers/send.ts`,
        find: 'const header = row.header as Uint8Array;',
        replace:
          "const header = row.header as Uint8Array;\n    if (decodeHeader(header).type === 'key-dirty') return reject('not_for_this_peer');",
      },
    ],
    likelier: people(['delete', 8, 40]),
    seeds: 20,
  },

  // --- pure functions ---------------------------------------------------------------------------------------------------------------------------------
  {
    name: 'remembers-what-it-did',
    what: 'A job keeps a count of its own, and what it returns hangs on it.',
    promises: ['S15'],
    edits: [
      {
        file: `${QUIET}/jobs/sync.ts`,
        find: 'export const syncJob = job(',
        replace: 'let rounds = 0;\nexport const syncJob = job(',
      },
      {
        file: `${QUIET}/jobs/sync.ts`,
        find: 'openingRequest(query, ctx.now_ms, {',
        replace: 'openingRequest(query, ctx.now_ms - (rounds++ % 2), {',
      },
    ],
    seeds: 5,
  },
  {
    name: 'late-reports-leave-no-rows',
    what: 'What a projector makes of an event hangs on when it came.',
    promises: ['S1'],
    edits: [
      {
        file: `${QUIET}/events/forgotten/projector.ts`,
        find: 'project: (_query, event) => event.body',
        replace: 'project: (_query, event, ctx) => event.created_ms < ctx.now_ms - 5_000 ? [] : event.body',
      },
    ],
    likelier: MUCH_IS_DELETED,
    seeds: 60,
  },
  {
    name: 'counted-twice',
    what: 'What comes once more is counted once more.',
    promises: ['S16'],
    edits: [
      {
        file: `${QUIET}/handlers/verify.ts`,
        find: "if (standing !== 'unknown') return duplicate;",
        replace:
          "if (standing !== 'unknown') {\n      context.statement('UPDATE group_key SET events = events + 1 WHERE identity = :identity').run({ identity });\n      return duplicate;\n    }",
      },
    ],
    likelier: [everywhere('again')],
    seeds: 20,
  },
  {
    name: 'only-the-newest-are-shown',
    what: 'Of a channel only the newest three messages are shown.',
    promises: ['S5'],
    edits: [
      {
        file: `${QUIET}/events/message/queries.ts`,
        find: 'ORDER BY m.created_ms DESC, m.seq DESC, e.id DESC LIMIT :limit',
        replace: 'ORDER BY m.created_ms DESC, m.seq DESC, e.id DESC LIMIT min(:limit, 3)',
      },
    ],
    likelier: people(['send', 16, 80]),
    seeds: 20,
  },
  {
    name: 'a-failing-disk-ends-the-process',
    what: 'What fails while a timer runs is caught by nobody.',
    promises: ['F3'],
    edits: [
      {
        file: 'hosts/sessions.ts',
        find: "this.#ports.log('peers_not_looked_for', { ...placeOf(thrown) });",
        replace: 'throw thrown;',
      },
    ],
    likelier: [everywhere('disk')],
    seeds: 60,
  },
  {
    name: 'suspicion-forgets',
    what: 'A clock that turns suspect forgets what was believed and not written down yet.',
    promises: ['S20'],
    edits: [
      {
        file: 'core/clock-guard.ts',
        find: '{ ...suspicion, highest_ms: believed_ms }',
        replace: 'suspicion',
      },
    ],
    likelier: [everywhere('clock')],
    seeds: 60,
  },
];
