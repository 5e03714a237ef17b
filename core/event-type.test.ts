import { describe, expect, it } from 'vitest';
import { event, instruct, transmit } from './envelope.ts';
import { eventType, redact } from './event-type.ts';
import { basis, content, dependsOn, id } from './fields.ts';

const define = (
  type_class: 'public' | 'sealed' | 'local' | 'transient',
  body: Parameters<typeof eventType>[0]['body'],
) => eventType({ name: 'note', class: type_class, description: 'note', body });

describe('an event type', () => {
  it('of class public has no content: what people write would lie in clear on every disk', () => {
    expect(() => define('public', { text: content(9) })).toThrow(
      expect.objectContaining({ code: 'bad_event_type', message: expect.stringContaining("'text'") }),
    );
    expect(() => define('public', { text: content(9).nullable() })).toThrow(/sealed type/);
    expect(define('sealed', { text: content(9) }).content_fields).toEqual(['text']);
  });

  it('depends on events only where it is stored', () => {
    for (const type_class of ['local', 'transient'] as const)
      expect(() => define(type_class, { of_id: dependsOn() })).toThrow(/only stored types/);
    const type = define('sealed', { of_id: dependsOn(), by_id: basis(), other: id() });
    expect(type.dependency_fields).toEqual(['of_id', 'by_id']);
    expect(type.basis_field).toBe('by_id');
  });

  it('shows pure functions of its content only the length', () => {
    expect(redact(define('sealed', { text: content(9) }), { text: 'grüß' })).toEqual({
      text: { content_bytes: 6 },
    });
  });
});

describe('a draft', () => {
  const note = eventType({ name: 'note', class: 'sealed', description: 'note', body: { text: content(9) } });
  const clear = eventType({ name: 'clear', class: 'public', description: 'clear', body: {} });

  it('of a sealed type says whom it is for', () => {
    expect(() => event(note, { text: 'hello' })).toThrow(expect.objectContaining({ code: 'no_group' }));
    expect(event(note, { text: 'hello' }, { group_id: 'aa' })).toMatchObject({
      group_id: 'aa',
      stream_id: null,
    });
    expect(event(note, { text: 'hello' }, { stream_id: 'bb' })).toMatchObject({
      group_id: null,
      stream_id: 'bb',
    });
    expect(event(clear, {})).toMatchObject({ group_id: null, stream_id: null });
  });

  it('is made by the maker of its class', () => {
    const wrong = expect.objectContaining({ code: 'wrong_class' });
    expect(() => instruct(clear, {})).toThrow(wrong);
    expect(() => transmit(note as never, {}, 's')).toThrow(wrong);
  });
});
