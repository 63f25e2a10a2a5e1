import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeInfo, RecordTable } from '../../core/record-table.ts';
import { runToEnd } from '../../core/steps.ts';
import type { Order } from '../../shared/protocol.ts';
import { sortRows } from './sorting.ts';

const row = fc.record({
  id: fc.oneof(fc.bigInt(0n, 5n), fc.bigInt(0n, 0xffff_ffff_ffff_ffffn)),
  // A gap may be longer than 32 bits tell.
  length: fc.oneof(fc.integer({ min: 13, max: 40 }), fc.integer({ min: 1, max: 2 ** 40 })),
  kind: fc.constantFrom('store', 'delete', 'gap'),
});

function tableOf(rows: { id: bigint; length: number; kind: string }[]): RecordTable {
  const table = new RecordTable(0);
  for (const { id, length, kind } of rows) {
    const gap = kind === 'gap';
    const info = encodeInfo(kind as 'store', 'crc', gap ? 'unknown-bytes' : 'ok', false, !gap);
    table.push(table.end, info, gap ? 0 : Number(id & 0xffff_ffffn), gap ? 0 : Number(id >> 32n));
    table.end += length;
  }
  table.link();
  return table;
}

test('rows come in the order of the column, equal ones in log order, and back to front when descending', () => {
  fc.assert(
    fc.property(
      fc.array(row, { maxLength: 80 }),
      fc.constantFrom<Order['by'][]>('id', 'offset', 'size', 'versions'),
      fc.constantFrom<Order['direction'][]>('ascending', 'descending'),
      fc.nat(3),
      (rows, by, direction, leaveOut) => {
        const table = tableOf(rows);
        const chosen = Array.from({ length: table.rows }, (_, at) => at).filter(
          (at) => leaveOut === 0 || at % 4 !== leaveOut,
        );
        const key = (at: number): bigint => {
          if (by === 'id') return table.id(at);
          if (by === 'size') return BigInt(table.length(at));
          return by === 'versions' ? BigInt(table.versions(at)) : BigInt(at);
        };
        const expected = [...chosen].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : a - b));
        if (direction === 'descending') expected.reverse();
        expect([...runToEnd(sortRows(table, Uint32Array.from(chosen), { by, direction }))]).toEqual(expected);
      },
    ),
    { numRuns: 500 },
  );
});

test('sorting more rows than one piece holds yields in between', () => {
  const table = tableOf(
    Array.from({ length: 300_000 }, (_, at) => ({ id: BigInt(at * 7919) % 300_007n, length: 13, kind: 'delete' })),
  );
  const steps = sortRows(
    table,
    Uint32Array.from({ length: table.rows }, (_, at) => at),
    { by: 'id', direction: 'ascending' },
  );
  let yields = 0;
  let step = steps.next();
  for (; !step.done; step = steps.next()) yields++;
  expect(yields).toBeGreaterThan(4);
  const sorted = step.value;
  expect(sorted.every((one, at) => at === 0 || table.idLow[one]! > table.idLow[sorted[at - 1]!]!)).toBe(true);
});
