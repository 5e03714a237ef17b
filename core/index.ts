/**
 * What an app writes its protocol folder with: `import { eventType, job, reflector } from 'sotto'`.
 */
export { SottoError } from './assert.ts';
export {
  type Envelope,
  type EventDraft,
  event,
  forward,
  type InstructionDraft,
  idOf,
  instruct,
  type TransmitDraft,
  transmit,
} from './envelope.ts';
export { type Event, type EventType, eventType, everyEvent } from './event-type.ts';
export {
  basis,
  boolean,
  bytes,
  content,
  dependsOn,
  type Id,
  id,
  integer,
  text,
  time_ms,
  ttl_ms,
} from './fields.ts';
export { limits, NEVER_MS } from './limits.ts';
export { type Query, type QueryDefinition, query } from './query.ts';
export {
  type Command,
  type CommandContext,
  type Context,
  command,
  insert,
  insertOnce,
  type Job,
  type JobContext,
  job,
  type Projector,
  projector,
  type Reflector,
  type ReflectorContext,
  type RowWrite,
  reflector,
  refuse,
  remove,
  upsert,
} from './sources.ts';
