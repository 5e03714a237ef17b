import { describe, expect, it } from 'vitest';
import { overlaid, quietProtocol } from '../tests/support.ts';
import { eventType } from './event-type.ts';
import { integer } from './fields.ts';
import { assembleProtocol, snakeCase } from './protocol.ts';
import { query } from './query.ts';
import { job, reflector } from './sources.ts';

const ping = eventType({ name: 'ping', class: 'local', description: 'ping', body: {} });
const reflectPing = reflector(ping, () => []);
const pingJob = job({ description: 'ping', params: {} }, () => []);

describe('a protocol folder is complete, or the start stops', () => {
  const bad =
    (modules: Record<string, Record<string, unknown>>, sql: Record<string, string> = {}) =>
    () =>
      overlaid({ modules, sql });
  const cases: readonly (readonly [string, () => unknown, RegExp])[] = [
    [
      'a reflectors.ts that exports nothing recognisable',
      bad({ 'events/ping/schema.ts': { ping }, 'events/ping/reflectors.ts': { helper: () => [] } }),
      /reflectors\.ts: expected an exported reflector .* found helper/,
    ],
    ['an empty schema.ts', bad({ 'events/ping/schema.ts': {} }), /found nothing/],
    [
      'a reflector under another name',
      bad({ 'events/ping/schema.ts': { ping }, 'events/ping/reflectors.ts': { onPing: reflectPing } }),
      /named reflect\.\.\., got 'onPing'/,
    ],
    ['a job under another name', bad({ 'jobs/ping.ts': { ping: pingJob } }), /named \.\.\.Job, got 'ping'/],
    [
      'a job in a queries.ts',
      bad({ 'events/ping/queries.ts': { pingJob } }),
      /'pingJob' is a job; this file is for a query/,
    ],
    [
      'a reflector on a type that is nowhere',
      bad({ 'events/ping/reflectors.ts': { reflectPing } }),
      /on type 'ping', which no schema\.ts exports/,
    ],
    ['a file of another name', bad({ 'events/ping/helpers.ts': { ping } }), /helpers\.ts: expected events/],
    [
      'a type that is there already',
      bad({
        'events/message/schema.ts': {
          message: eventType({ name: 'message', class: 'local', description: '', body: {} }),
        },
      }),
      /'message' is in protocols\/quiet\/events\/message\/schema\.ts already/,
    ],
    [
      'a query that is there already',
      bad({
        'events/ping/queries.ts': {
          getPeers: query({
            description: '',
            params: {},
            row: { a: integer() },
            sql: 'SELECT :identity AS a',
          }),
        },
      }),
      /'get_peers' is in .* already/,
    ],
    ['SQL in a place of its own', bad({}, { 'events/ping/tables.sql': '' }), /expected SQL at events/],
  ];
  it.each(cases)('%s', (_what, assemble, message) => {
    expect(assemble).toThrow(
      expect.objectContaining({ code: 'bad_protocol', message: expect.stringMatching(message) }),
    );
  });

  it('a folder without a pipeline needs one to be laid over', () => {
    expect(() => assembleProtocol([{ root: 'mine', modules: {}, sql: {}, jobs_yaml: null }])).toThrow(
      /mine: no pipeline\.ts/,
    );
  });
});

describe('discovery', () => {
  it('finds every reflector by what it is on, whatever its name', () => {
    const on = [...quietProtocol.reflectors.entries()].flatMap(([type, list]) =>
      list.map(({ name }) => [name, type.name]),
    );
    expect(Object.fromEntries(on)).toMatchObject({
      reflect_sync_request: 'sync_request',
      reflect_message_reaction: 'reaction',
      reflect_user_admission: 'user',
    });
  });

  it('takes any number of reflectors per type', () => {
    const protocol = overlaid({
      modules: {
        'events/ping/schema.ts': { ping },
        'events/ping/reflectors.ts': { reflectPing, reflectPingAgain: reflector(ping, () => []) },
      },
    });
    expect(protocol.reflectors.get(ping as never)).toHaveLength(2);
  });

  it('names things after their exports', () => {
    expect(snakeCase('getEventsForSync')).toBe('get_events_for_sync');
    expect(quietProtocol.queries.has('get_active_peers')).toBe(true);
    expect(quietProtocol.queries.has('get_message_by_id')).toBe(true);
    expect(quietProtocol.jobs.has('sync_job')).toBe(true);
  });
});
