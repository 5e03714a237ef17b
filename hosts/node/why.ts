/** Where an event stands, in one sentence for people. */
import type { WhyView } from '../../api/facade.ts';
import type { StandingRow } from './finder.ts';

type WhatIsMissing = WhyView['waits_for'][number]['what'];

/** By the rule it waits by: what its edges lead to, and what that means. */
const WAITING: Readonly<Record<string, { readonly what: WhatIsMissing; readonly text: string }>> = {
  from_the_future: {
    what: 'time',
    text: 'It says that it was made later than it is here by now; it is taken up once that is no longer so.',
  },
  dependency_missing: { what: 'event', text: 'It names events that have not come yet.' },
  author_not_a_member: { what: 'device', text: 'Its author has not been let in, as far as this node knows.' },
  author_not_in_group: { what: 'group', text: 'Its author is not in its group, as far as this node knows.' },
  author_removed: {
    what: 'device',
    text: 'Its author has been removed, and what came before that does not include it.',
  },
  right_not_in_force: {
    what: 'event',
    text: 'Its author no longer has, or does not have yet, the right to do this.',
  },
  key_missing: { what: 'key', text: 'It is sealed, and the key to it has not come yet.' },
};

const DEAD: Readonly<Record<string, string>> = {
  expired: 'Its time is over: what it said is gone.',
  deleted: 'It was deleted, or what it belonged to was: only its signed header is left.',
};

export function sentenceOn({ standing, rule }: StandingRow): string {
  const words = (rule ?? '').replaceAll('_', ' ');
  switch (standing) {
    case 'valid':
      return 'It counts here.';
    case 'dead':
      return DEAD[rule ?? ''] ?? 'It is dead: only its signed header is left.';
    case 'waiting':
      return WAITING[rule ?? '']?.text ?? `It waits: ${words}.`;
    case 'refused':
      return `It was refused by the rule "${words}", and is not taken in again.`;
  }
}

export function waitsFor(
  { rule, not_before_ms }: StandingRow,
  missing: readonly { readonly missing: string }[],
): WhyView['waits_for'] {
  if (rule === 'from_the_future') return [{ what: 'time', id: String(not_before_ms) }];
  const what = WAITING[rule ?? '']?.what ?? 'event';
  return missing.map((row) => ({ what, id: row.missing }));
}
