import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemorySource } from './byte-source.ts';
import { packageCrc32 } from './log-builder.fixture.ts';
import { mutate, mutations, originalLog } from './mutated-log.fixture.ts';
import { LENGTH_FIELD_OFFSET } from './record.ts';
import type { RecordTable } from './record-table.ts';
import { scan } from './scan.ts';
import { parseSnapshot, SNAPSHOT_ENTRY_SIZE, SNAPSHOT_HEADER_SIZE, type Snapshot } from './snapshot.ts';
import { checkSnapshot, type SnapshotCheck } from './snapshot-check.ts';
import { settleEntries } from './snapshot-settle.ts';
import { runToEnd } from './steps.ts';
import { writeU32, writeU64 } from './u64.ts';

type Entry = [id: bigint, offset: bigint];

/** A snapshot with exactly these entries, in this order, whatever they are. */
function snapshotOf(position: number, entries: readonly Entry[]): Snapshot {
  const end = SNAPSHOT_HEADER_SIZE + entries.length * SNAPSHOT_ENTRY_SIZE;
  const bytes = new Uint8Array(end + 4);
  bytes.set(new TextEncoder().encode('VSNP'));
  bytes[4] = 1;
  writeU64(bytes, 5, BigInt(position));
  writeU64(bytes, 13, BigInt(entries.length));
  entries.forEach(([id, offset], index) => {
    writeU64(bytes, SNAPSHOT_HEADER_SIZE + index * SNAPSHOT_ENTRY_SIZE, id);
    writeU64(bytes, SNAPSHOT_HEADER_SIZE + index * SNAPSHOT_ENTRY_SIZE + 8, offset);
  });
  writeU32(bytes, end, packageCrc32(bytes.subarray(0, end)));
  const parsed = parseSnapshot(bytes, packageCrc32);
  if (!parsed.ok) throw new Error(parsed.error.message);
  return parsed.snapshot;
}

/** What each id holds in the rows before `boundary`, written plainly: rows by id. */
function currentRows(table: RecordTable, boundary: number): Map<bigint, number> {
  const current = new Map<bigint, number>();
  for (let row = 0; row < boundary; row++) {
    const unseen = table.isLegacy(row) && table.kind(row) === 'store' && table.verdict(row) === 'payload-not-json';
    if (!table.isApplied(row) && !unseen) continue;
    if (table.kind(row) === 'store') current.set(table.id(row), row);
    else current.delete(table.id(row));
  }
  return current;
}

const tampering = fc.array(
  fc.record({
    what: fc.constantFrom('drop', 'again', 'move', 'offset of another', 'stranger', 'beyond') as fc.Arbitrary<
      'drop' | 'again' | 'move' | 'offset of another' | 'stranger' | 'beyond'
    >,
    at: fc.nat(),
    to: fc.nat(),
    number: fc.oneof(fc.bigInt(0n, 400n), fc.bigInt(0n, 0xffff_ffff_ffff_ffffn)),
  }),
  { maxLength: 4 },
);

function tamper(entries: Entry[], changes: typeof tampering extends fc.Arbitrary<infer T> ? T : never): void {
  for (const { what, at, to, number } of changes) {
    const index = entries.length > 0 ? at % entries.length : 0;
    const entry = entries[index];
    if (what === 'stranger') entries.splice(index, 0, [number, BigInt(to % 500)]);
    if (!entry) continue;
    if (what === 'drop') entries.splice(index, 1);
    if (what === 'again') entries.splice(to % entries.length, 0, [...entry]);
    if (what === 'move') entry[1] += (number % 5n) - 2n;
    if (what === 'offset of another') entry[1] = entries[to % entries.length]![1];
    if (what === 'beyond') entry[1] = number;
    entry[1] = BigInt.asUintN(64, entry[1]);
  }
}

/** Any log with any damage, a row of it as the boundary, and the entries a snapshot of the rows before would have, shuffled and tampered with. */
const cases = fc
  .tuple(
    originalLog,
    fc.oneof(fc.constant([]), mutations),
    fc.nat(),
    fc.infiniteStream(fc.nat()),
    tampering,
    fc.constantFrom(1, 3, 8, 1 << 14),
    fc.constantFrom(1, 4, 1 << 20),
  )
  .map(([original, changes, cut, order, tampers, rowsAPart, room]) => {
    const { log } = mutate(original, changes);
    const table = runToEnd(scan({ source: new MemorySource(log), crc32: packageCrc32 }));
    table.link();
    const boundary = cut % (table.rows + 1);
    const position = boundary < table.rows ? table.offsets[boundary]! : table.end;
    const entries = [...currentRows(table, boundary)]
      .map(([id, row]): [number, Entry] => [
        order.next().value!,
        [id, BigInt(table.offsets[row]! + LENGTH_FIELD_OFFSET)],
      ])
      .sort(([a], [b]) => a - b)
      .map(([, entry]) => entry);
    tamper(entries, tampers);
    const made = { log, table, boundary, position, entries, sizes: { rowsAPart, room } };
    // A table printed is thousands of zeros.
    return Object.assign(made, { [fc.toStringMethod]: () => fc.stringify({ ...made, table: table.rows }) });
  });

const seed = Date.now() & 0x7fff_ffff;
console.info(`snapshot-settle.test.ts: seed ${seed}`);

describe('settleEntries', () => {
  it('finds the entries at the current record of their id, in any log and for any sizes', () => {
    fc.assert(
      fc.property(cases, ({ table, boundary, position, entries, sizes }) => {
        const current = currentRows(table, boundary);
        const expected = new Map<number, number>();
        entries.forEach(([id, offset], entry) => {
          const row = current.get(id);
          if (row !== undefined && BigInt(table.offsets[row]! + LENGTH_FIELD_OFFSET) === offset)
            expected.set(row, entry);
        });
        const settled = runToEnd(settleEntries(table, snapshotOf(position, entries), boundary, sizes));
        // Without room for the entries of one part these are left for later; what is found is right all the same.
        const found = entries.flatMap((_, entry) => (settled.open.has(entry) ? [] : [entry]));
        const right = [...expected.values()].sort((a, b) => a - b);
        if (sizes.room > entries.length) expect(found).toEqual(right);
        for (const entry of found) expect(right).toContain(entry);
        for (const [row, entry] of expected) expect(settled.rows.has(row)).toBe(!settled.open.has(entry));
        expect([settled.count, settled.rows.count()]).toEqual([found.length, found.length]);
        expect(settled.currentRows).toBe(current.size);
      }),
      { seed, numRuns: 200 },
    );
  });

  it('is a short cut: a check that has to look up every entry finds the same', () => {
    fc.assert(
      fc.property(cases, ({ log, table, position, entries }) => {
        const check = (list: readonly Entry[]): SnapshotCheck =>
          runToEnd(checkSnapshot({ source: { size: log.length }, table, snapshot: snapshotOf(position, list) }));
        const short = check(entries);
        // The same id twice: now nothing is settled before all were looked up. The first of two is what VelesDB ignores.
        for (const entry of entries) {
          const long = check([entry, ...entries]);
          const rest = long.disagreements.findLastIndex(
            ({ kind, id, found }) => kind === 'duplicate-id' && id === entry[0] && found === String(entry[1]),
          );
          expect(rest).toBeGreaterThanOrEqual(0);
          expect(long.disagreements.toSpliced(rest, 1)).toEqual(short.disagreements);
        }
      }),
      { seed, numRuns: 100 },
    );
  });
});
