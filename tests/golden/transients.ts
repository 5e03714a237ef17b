/** The vectors of what is said within a session and not kept. */
import { encodeBody } from '../../core/body-codec.ts';
import { encodeTransientItem } from '../../core/frame-codec.ts';
import { hex } from './independent.ts';
import { fill, T0_MS, typeOf, written } from './vectors.ts';

/** What two devices say to each other: each type with every field, and with those alone that may not be left out. */
const TRANSIENTS: readonly { readonly type: string; readonly body: Readonly<Record<string, unknown>> }[] = [
  {
    type: 'sync_request',
    body: {
      message: '6100000100',
      need: [hex(fill(30)), hex(fill(31))],
      keys: [hex(fill(32))],
      end_groups: [null, hex(fill(33))],
      end_seqs: [12, 3],
      cut_ms: T0_MS,
      now_ms: T0_MS + 1,
      round: 2,
      asker_progress: 7,
      answerer_progress: 8,
      introduced: true,
      much: true,
    },
  },
  { type: 'sync_request', body: { end_groups: [], end_seqs: [], now_ms: T0_MS, asker_progress: 0 } },
  {
    type: 'sync_response',
    body: {
      message: '61000002',
      cut_ms: T0_MS,
      round: 1,
      asker_progress: 7,
      answerer_progress: 8,
      answerer_progressed: true,
    },
  },
  { type: 'sync_response', body: { cut_ms: T0_MS, asker_progress: 7, answerer_progress: 8 } },
  { type: 'sync_refused', body: { introduced: true } },
  {
    type: 'sync_fetch',
    body: {
      lowers: ['', '01937e2b00'],
      uppers: ['01937e2a00', hex(fill(255))],
      oldest_first: true,
      except: [hex(fill(34))],
      cut_ms: T0_MS,
      first: true,
    },
  },
  { type: 'sync_fetch', body: { lowers: [''], uppers: [hex(fill(255))], cut_ms: T0_MS } },
  {
    type: 'sync_page',
    body: { lowers: [''], uppers: ['01937e2a00'], oldest_first: true, left: 300, lacking: [hex(fill(34))] },
  },
  { type: 'sync_page', body: { lowers: [], uppers: [] } },
  { type: 'need-rewrap', body: { event_ids: [hex(fill(35))] } },
];

export function makeTransients() {
  return TRANSIENTS.map(({ type: name, body }) => {
    const type = typeOf(name);
    return {
      type: name,
      body: Object.fromEntries(
        Object.entries(body).map(([field, value]) => [
          field,
          type.byte_fields.includes(field) ? written(value) : value,
        ]),
      ),
      item: hex(encodeTransientItem(name, encodeBody(type, body))),
    };
  });
}

export const TRANSIENT_TYPES = TRANSIENTS.map(({ type }) => type);
