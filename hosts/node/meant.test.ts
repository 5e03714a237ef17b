import { describe, expect, it } from 'vitest';
import { choiceOf, fits, meantBy, theOne } from './meant.ts';

const id = (time: string, hash: string) => `${time}${hash}${'0'.repeat(52 - hash.length)}`;
const one = { id: id('018f00000001', 'abcd1234ef'), name: 'general' };
const other = { id: id('018f00000002', 'abcd9999'), name: 'general' };
const of = (name: string) => ({
  ids: (row: typeof one) => [row.id],
  isNamed: (row: typeof one) => row.name === name,
});
const rows = [one, other];

describe('what is meant by a name or an id', () => {
  it('the beginning of the hash, or of the whole id past its time', () => {
    expect(fits(one.id, 'abcd')).toBe(true);
    expect(fits(one.id, 'abc')).toBe(false);
    expect(fits(one.id, 'abcd', 8)).toBe(false);
    expect(fits(one.id, '018f0000')).toBe(false);
    expect(fits(one.id, one.id.slice(0, 14))).toBe(true);
    expect(fits(one.id, 'ABCD1234')).toBe(false);
    expect(fits(one.id, 'general')).toBe(false);
  });

  it('several that fit are an error that lists them, none is another', () => {
    const say = {
      none: 'none',
      several: 'several',
      choice: (row: typeof one) => choiceOf(row.id, 'general'),
    };
    expect(theOne(meantBy(rows, 'abcd1234', of('abcd1234')), say)).toBe(one);
    expect(() => theOne(meantBy(rows, 'general', of('general')), say)).toThrow(
      'several: abcd1234, abcd9999.',
    );
    expect(() => theOne(meantBy(rows, 'random', of('random')), say)).toThrow('none');
  });

  it('a name that looks like the short id of another does not stand in its place', () => {
    const thief = { id: id('018f00000003', '7777'), name: 'abcd1234' };
    const all = [...rows, thief];
    expect(meantBy(all, 'abcd1234', of('abcd1234'))).toEqual([thief, one]);
    // The whole id always means what has it, whatever somebody calls themselves.
    expect(meantBy([...rows, { ...thief, name: one.id }], one.id, of(one.id))).toEqual([one]);
    expect(choiceOf(one.id, 'abcd1234')).toBe(one.id);
    expect(choiceOf(thief.id, 'abcd1234')).toBe('77770000');
  });
});
