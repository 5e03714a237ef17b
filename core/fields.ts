/**
 * The kinds of value that a body, a parameter or a row may hold: zod schemas, each tagged with how it is written on the wire.
 *
 * Bytes (ids, keys, proofs) are lower-case hex strings wherever people or pure functions see them, so that `===`, `Map` keys and freezing
 * work; they are byte strings on the wire and BLOBs in SQLite. The conversion happens in the codecs and `query.ts`, nowhere else.
 */
import { z } from 'zod';
import { limits } from './limits.ts';

/** 32 bytes as 64 hex digits: an event id, or a device's public key. */
export type Id = string;

export interface FieldTags {
  /** Written as a byte string on the wire, bound as a BLOB. */
  readonly bytes?: true;
  /** The id of an event that must be valid first. `basis`: the grant that gives its author the right to say this. */
  readonly dependency?: 'event' | 'basis';
  /** What a person wrote. Never in tables, traces, errors or the arguments of pure functions: there only its length. */
  readonly content?: true;
  /** Stored 0/1 in SQLite. */
  readonly boolean?: true;
}

interface Wrapping {
  readonly innerType?: z.ZodType;
  readonly element?: z.ZodType;
}

export const fieldTags = z.registry<FieldTags>();

/** Tags of a field, looking through `.nullable()`, `.optional()`, `.default()` and into the elements of a list. */
export function tagsOf(schema: z.ZodType): FieldTags {
  let current: z.ZodType | undefined = schema;
  for (let depth = 0; current !== undefined && depth < 8; depth++) {
    const tags = fieldTags.get(current);
    if (tags !== undefined) return tags;
    const def: Wrapping | undefined = (current as { def?: Wrapping }).def;
    current = def?.innerType ?? def?.element;
  }
  return {};
}

const hex = (bytes_min: number, bytes_max: number) =>
  z
    .string()
    .regex(/^(?:[0-9a-f]{2})*$/, 'expected lower-case hex')
    .min(bytes_min * 2)
    .max(bytes_max * 2);

/** An id or a public key: 32 bytes. */
export const id = () => hex(32, 32).register(fieldTags, { bytes: true });

/** The id of an event without which this one makes no sense: it waits until that event is valid, and dies with it. */
export const dependsOn = () => hex(32, 32).register(fieldTags, { bytes: true, dependency: 'event' });

/** The id of the grant that gives an event's author the right to say it; null for those who need none. It waits while the grant is not in force. */
export const basis = () => hex(32, 32).register(fieldTags, { bytes: true, dependency: 'basis' }).nullable();

/** Any byte string of `bytes_min` to `bytes_max` bytes. */
export const bytes = (bytes_min: number, bytes_max: number = bytes_min) =>
  hex(bytes_min, bytes_max).register(fieldTags, { bytes: true });

/** Text of `bytes_max` UTF-8 bytes at most, without lone surrogates (they have no UTF-8 form). */
const utf8 = (bytes_max: number) =>
  z
    .string()
    .refine((value) => value.isWellFormed(), 'expected well-formed Unicode, got a lone surrogate')
    .refine(
      (value) => value.length <= bytes_max && utf8Length(value) <= bytes_max,
      `expected ${bytes_max} bytes of UTF-8 at most`,
    );

/** Machine-readable text in clear: addresses, names of things in the program. */
export const text = (bytes_max: number) => utf8(bytes_max);

/** What a person wrote: at least one visible character, `bytes_max` UTF-8 bytes at most. Opened only at read time. */
export const content = (bytes_max: number) =>
  utf8(bytes_max)
    .refine((value) => value.trim() !== '', 'expected some text, got blanks only')
    .register(fieldTags, { content: true }) as z.ZodString & ContentField;

/** Marks a field as content for the type checker too: `Event.body` then shows only its length. */
export interface ContentField {
  readonly __content: true;
}

/** A whole number in the safe range, 0 or more unless `min` says otherwise. */
export const integer = (min = 0, max: number = Number.MAX_SAFE_INTEGER) => z.int().min(min).max(max);

/** Milliseconds since 1970 (UTC). */
export const time_ms = () => integer();

/** How long something lives, in milliseconds; 0 means for ever. Ten years at most. */
export const ttl_ms = () => integer(0, limits.ttl_ms_max);

export const boolean = () => z.boolean().register(fieldTags, { boolean: true });

export function utf8Length(value: string): number {
  return new TextEncoder().encode(value).length;
}

/** What a pure function sees in place of content. */
export interface Redacted {
  readonly content_bytes: number;
}

export type Shape = Readonly<Record<string, z.ZodType>>;
export type Infer<S extends Shape> = z.infer<z.ZodObject<S>>;
