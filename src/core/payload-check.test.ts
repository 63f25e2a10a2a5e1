import { describe, expect, it } from 'vitest';
import { type ByteSource, MemorySource } from './byte-source.ts';
import { LogBuilder, packageCrc32, text } from './log-builder.fixture.ts';
import { checkPayloads } from './payload-check.ts';
import type { RecordTable } from './record-table.ts';
import { scan } from './scan.ts';
import { runToEnd } from './steps.ts';

function scanned(log: Uint8Array): RecordTable {
  const table = runToEnd(scan({ source: new MemorySource(log), crc32: packageCrc32 }));
  table.link();
  return table;
}

function verdicts(table: RecordTable): string[] {
  return Array.from({ length: table.rows }, (_, row) => table.verdict(row));
}

/** A source that reuses its buffer, as the ones over files do: whoever keeps a view too long reads rubbish. */
class ReusingSource implements ByteSource {
  readonly size: number;
  #buffer = new Uint8Array(0);
  constructor(private readonly bytes: Uint8Array) {
    this.size = bytes.length;
  }

  read(offset: number, length: number): Uint8Array {
    this.#buffer.fill(0xee);
    this.#buffer = this.bytes.slice(offset, offset + length);
    return this.#buffer;
  }
}

describe('checkPayloads', () => {
  const log = new LogBuilder()
    .store(1, '{"a":1}')
    .store(2, 'not json')
    .store(3, '')
    .store(4, '1e999')
    .store(5, '"\\ud800"')
    .store(6, Uint8Array.of(0x22, 0xff, 0x22))
    .store(7, Uint8Array.of(0xef, 0xbb, 0xbf, 0x7b, 0x7d))
    .store(8, `${'['.repeat(127)}${']'.repeat(127)}`)
    .store(9, `${'['.repeat(128)}${']'.repeat(128)}`)
    .delete(1)
    .legacyStore(10, '"\\udc00"')
    .legacyStore(11, '11')
    .legacyDelete(11);

  it('tells text that is no JSON from JSON that VelesDB refuses', () => {
    const bytes = log.bytes();
    const table = scanned(bytes);
    const result = runToEnd(checkPayloads({ source: new ReusingSource(bytes), table }));
    expect(verdicts(table)).toEqual([
      'ok',
      'payload-not-json',
      'payload-not-json',
      'payload-unreadable',
      'payload-unreadable',
      'payload-not-json',
      'payload-not-json',
      'ok',
      'payload-unreadable',
      'ok',
      'payload-unreadable',
      'unprotected',
      'unprotected',
    ]);
    expect(result).toEqual({ checked: 11, notJson: 4, unreadable: 4 });
  });

  it('changes nothing and counts the same the second time', () => {
    const bytes = log.bytes();
    const table = scanned(bytes);
    const source = new MemorySource(bytes);
    const first = runToEnd(checkPayloads({ source, table }));
    const before = verdicts(table);
    expect(runToEnd(checkPayloads({ source, table }))).toEqual(first);
    expect(verdicts(table)).toEqual(before);
  });

  it('remembers the rows on which the two JSON readers differ, until they are cut off', () => {
    const bytes = new LogBuilder()
      .store(1)
      .store(2, '179769313486231581e291')
      .store(3, '1.7976931348623158e308')
      .bytes();
    const table = scanned(bytes);
    const source = new MemorySource(bytes);
    runToEnd(checkPayloads({ source, table }));
    runToEnd(checkPayloads({ source, table }));
    expect(verdicts(table)).toEqual(['ok', 'ok', 'payload-unreadable']);
    expect([...table.readersDisagree]).toEqual([1, 2]);
    expect([0, 1, 2].map((row) => table.isUnreadable(row, 'approximate'))).toEqual([false, false, true]);
    expect([0, 1, 2].map((row) => table.isUnreadable(row, 'exact'))).toEqual([false, true, false]);
    table.truncate(2);
    expect([...table.readersDisagree]).toEqual([1]);
  });

  it('looks only at the rows it is given', () => {
    const bytes = log.bytes();
    const table = scanned(bytes);
    const result = runToEnd(checkPayloads({ source: new MemorySource(bytes), table, fromRow: 2, toRow: 4 }));
    expect(result).toEqual({ checked: 2, notJson: 1, unreadable: 1 });
    expect(verdicts(table).slice(0, 4)).toEqual(['ok', 'ok', 'payload-not-json', 'payload-unreadable']);
  });

  it('leaves records that failed their CRC, torn ones and gaps alone', () => {
    const damaged = new LogBuilder().store(1, 'no json').store(2).raw([0xff, 0xff]).store(3).raw([0xc3, 1, 0]);
    const bytes = damaged.bytes();
    bytes[14]! ^= 1;
    const table = scanned(bytes);
    const before = verdicts(table);
    expect(before).toEqual(['crc-mismatch', 'ok', 'unknown-bytes', 'ok', 'torn']);
    expect(runToEnd(checkPayloads({ source: new MemorySource(bytes), table }))).toEqual({
      checked: 2,
      notJson: 0,
      unreadable: 0,
    });
    expect(verdicts(table)).toEqual(before);
  });

  it('judges records that straddle or exceed its window', () => {
    const large = new LogBuilder();
    const expected: string[] = [];
    for (let id = 0; id < 24; id++) {
      const length = (id * 390_001) % 3_000_000;
      const good = `"${'x'.repeat(length)}"`;
      large.store(id, id % 3 === 0 ? `${good},` : good);
      expected.push(id % 3 === 0 ? 'payload-not-json' : 'ok');
    }
    const bytes = large.bytes();
    const table = scanned(bytes);
    runToEnd(checkPayloads({ source: new ReusingSource(bytes), table }));
    expect(verdicts(table)).toEqual(expected);
  });

  it('reports how far it has come and can be left at any step', () => {
    const large = new LogBuilder();
    for (let id = 0; id < 40; id++) large.store(id, text(`"${'x'.repeat(200_000)}"`));
    const bytes = large.bytes();
    const done = [...checkPayloads({ source: new MemorySource(bytes), table: scanned(bytes) })].map(
      (step) => step.done,
    );
    expect(done.length).toBeGreaterThan(6);
    expect(done).toEqual([...done].sort((a, b) => a - b));
    expect(done.at(-1)).toBe(bytes.length);
  });
});
