import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CALLS } from '../../../shared/protocol.ts';
import { parseSearch, parseTarget } from './parse-search.ts';

describe('the search box', () => {
  test('takes a decimal number for an id, over the full range of u64', () => {
    expect(parseSearch('18446744073709551615')).toMatchObject({
      kind: 'filter',
      filter: { id: '18446744073709551615' },
    });
    expect(parseSearch(' 0042 ')).toMatchObject({ kind: 'filter', filter: { id: '42' } });
    expect(parseSearch('18446744073709551616').kind).toBe('problem');
  });

  test('takes 0x for an offset, which is a place and not a filter', () => {
    expect(parseSearch('0x1A2b')).toMatchObject({ kind: 'offset', offset: '6699' });
    expect(parseSearch('offset: 4096')).toMatchObject({ kind: 'offset', offset: '4096' });
    expect(parseSearch('0xzz').kind).toBe('problem');
    expect(parseSearch('0x').kind).toBe('problem');
  });

  test('takes $ for a path and asks for a comparison where there is none', () => {
    expect(parseSearch('$.a.b[0] >= 3')).toMatchObject({ kind: 'filter', filter: { path: '$.a.b[0] >= 3' } });
    expect(parseSearch('$.title exists')).toMatchObject({ kind: 'filter', filter: { path: '$.title exists' } });
    expect(parseSearch('$.title').kind).toBe('problem');
  });

  test('takes everything else for text, and quotes make text of anything', () => {
    expect(parseSearch('harbour office')).toMatchObject({ filter: { text: 'harbour office' } });
    expect(parseSearch('"42"')).toMatchObject({ filter: { text: '42' } });
    expect(parseSearch('text:0x12')).toMatchObject({ filter: { text: '0x12' } });
    expect(parseSearch('  ')).toEqual({ kind: 'none' });
  });

  test('takes hex: for bytes', () => {
    expect(parseSearch('hex: C3 28')).toMatchObject({ filter: { bytes: 'c328' } });
    expect(parseSearch('hex: C3 2').kind).toBe('problem');
  });

  test('never makes a filter the protocol would refuse', () => {
    const schema = CALLS['records.query'].params.shape.filter;
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.stringMatching(/^(hex:|\$|0x|id:|"|text:)?[ 0-9a-fA-F$."=x]*$/)),
        (typed) => {
          const request = parseSearch(typed);
          if (request.kind === 'filter') expect(schema.safeParse(request.filter).success).toBe(true);
        },
      ),
    );
  });
});

describe('go to', () => {
  test('tells ids from offsets', () => {
    expect(parseTarget('17')).toEqual({ by: 'id', id: '17' });
    expect(parseTarget('0x11')).toEqual({ by: 'offset', offset: '17' });
    expect(parseTarget('seventeen')).toHaveProperty('problem');
    expect(parseTarget('')).toHaveProperty('problem');
  });
});
