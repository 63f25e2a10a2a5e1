import { describe, expect, it } from 'vitest';
import { VelescopeError } from '../../shared/errors.ts';
import { readOperation } from './operation-lines.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (payload: unknown) => new TextDecoder().decode(payload as Uint8Array);

function read(line: string, canonical = false): unknown {
  const operation = readOperation(bytes(line), canonical);
  if (operation.type !== 'write') return operation.type;
  return operation.operations.map((one) => (one.type === 'store' ? [one.id, text(one.payload)] : [one.id, null]));
}

function refusalOf(line: string | Uint8Array): string {
  try {
    readOperation(typeof line === 'string' ? bytes(line) : line, false);
  } catch (thrown) {
    if (thrown instanceof VelescopeError) return thrown.code;
    throw thrown;
  }
  return 'accepted';
}

describe('a line of batch', () => {
  it('is a store, with or without the word', () => {
    expect(read('{"op":"store","id":"1","payload":{"a":1}}')).toEqual([[1n, '{"a":1}']]);
    expect(read('{"id":"18446744073709551615","payload":null}')).toEqual([[2n ** 64n - 1n, 'null']]);
  });

  it('keeps the text of a payload as it stands: order, duplicates, digits, escapes, white space inside', () => {
    const payload = '{"b" :  1.10, "a":9007199254740993,\t"b":"\\u00e9\\/\u{1f600}","n":1e5 , "e":[ ]}';
    expect(read(` { "payload" : ${payload} , "id" : "7" } \r`)).toEqual([[7n, payload]]);
  });

  it('takes braces, brackets, commas and quotes inside strings for text', () => {
    const payload = '{"}":"],\\"{\\\\","x":["\\\\\\"",{"y":"}"}]}';
    expect(read(`{"id":"1","payload":${payload}}`)).toEqual([[1n, payload]]);
  });

  it('says which entry of a batch is refused', () => {
    expect(() => read('{"op":"batch","entries":[["1",1],["2",1e999]]}')).toThrow(/^entry 2: VelesDB could not read/);
    expect(() => read('{"op":"batch","entries":[[1,1]]}')).toThrow(/^entry 1: an id is a decimal number in a string/);
  });

  it('prints a payload as VelesDB would, when asked', () => {
    expect(read('{"id":"1","payload":{"b":1e2, "a":1,"a":2}}', true)).toEqual([[1n, '{"a":2,"b":100.0}']]);
  });

  it('is a delete, a batch, a snapshot or a flush', () => {
    expect(read('{"op":"delete","id":"0"}')).toEqual([[0n, null]]);
    expect(read('{"op":"batch","entries":[["1",{"a":[]}], ["2" , "x"]]}')).toEqual([
      [1n, '{"a":[]}'],
      [2n, '"x"'],
    ]);
    expect(read('{"op":"batch","entries":[]}')).toEqual([]);
    expect(read('{"op":"snapshot"}')).toBe('snapshot');
    expect(read('{"op":"flush"}')).toBe('flush');
  });

  it.each([
    ['no JSON', 'store 1 {}'],
    ['cut JSON', '{"id":"1","payload":{"a":1}'],
    ['two values', '{"id":"1","payload":1} {"id":"2","payload":2}'],
    ['no object', '["1",{}]'],
    ['a payload that is no JSON', '{"id":"1","payload":{a:1}}'],
    ['a payload with a bracket too many', '{"id":"1","payload":[1]]}'],
    ['no payload', '{"id":"1","payload":}'],
    ['a missing payload', '{"id":"1"}'],
    ['a missing id', '{"payload":1}'],
    ['an id twice', '{"id":"1","id":"2","payload":1}'],
    ['an id twice, once escaped', '{"id":"1","\\u0069d":"2","payload":1}'],
    ['an unknown member', '{"id":"1","payload":1,"ttl":5}'],
    ['an unknown operation', '{"op":"put","id":"1","payload":1}'],
    ['an operation named like something every object has', '{"op":"constructor","id":"1"}'],
    ['an unreadable record of a dump', '{"id":"1","error":{"kind":"InvalidData","message":""},"base64":"AA=="}'],
    ['a line of a root’s dump', '{"id":"1","collection":"a","payload":1}'],
    ['a refusal of a dump', '{"ok":false,"kind":"InvalidData","message":"Unknown WAL marker"}'],
    ['a byte order mark', '\ufeff{"id":"1","payload":1}'],
    ['entries that are no pairs', '{"op":"batch","entries":[["1"]]}'],
    ['raw control characters', '{"id":"1","payload":"\u0001"}'],
    ['ill-formed UTF-8', Uint8Array.of(...bytes('{"id":"1","payload":"'), 0xff, ...bytes('"}'))],
  ])('is refused as no operation: %s', (_name, line) => {
    expect(refusalOf(line)).toBe('BAD_REQUEST');
  });

  it.each(['1', '-1', '"-1"', '"01"', '""', '"1.0"', '"18446744073709551616"', '" 1"', '"1e3"', 'null'])(
    'is refused for the id %s',
    (id) => {
      expect(refusalOf(`{"op":"delete","id":${id}}`)).toBe('INVALID_ID');
    },
  );

  it.each([
    ['nesting of 128', `${'['.repeat(128)}${']'.repeat(128)}`],
    ['a number out of range', '1e309'],
    ['half of a surrogate pair', '"\\ud800"'],
  ])('is refused where VelesDB could not read the payload back: %s', (_name, payload) => {
    expect(refusalOf(`{"id":"1","payload":${payload}}`)).toBe('PAYLOAD_REFUSED');
    expect(refusalOf(`{"op":"batch","entries":[["1",1],["2",${payload}]]}`)).toBe('PAYLOAD_REFUSED');
  });

  it('accepts nesting of 127 inside a batch, whose own brackets do not count', () => {
    const payload = `${'['.repeat(127)}${']'.repeat(127)}`;
    expect(read(`{"op":"batch","entries":[["1",${payload}]]}`)).toEqual([[1n, payload]]);
  });
});
