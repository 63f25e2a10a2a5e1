import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IdIndex } from './id-index.ts';
import { PossibleRecords } from './possible-records.ts';
import { encodeInfo, RecordTable } from './record-table.ts';
import { isDamage, VERDICTS, type Verdict } from './segment.ts';
import { runToEnd } from './steps.ts';
import { joinU64 } from './u64.ts';

const seed = Number(process.env.VELESCOPE_SEED ?? (Math.random() * 0x7fff_ffff) | 0);
console.log(`id index and record table: VELESCOPE_SEED=${seed}`);

/** Few enough to meet often; among them ids that differ in one half only, or are equal as doubles. */
const halves = fc.tuple(
  fc.oneof(fc.nat(6), fc.constantFrom(0xffff_ffff, 0x8000_0000)),
  fc.constantFrom(0, 0, 0, 1, 0x20_0000, 0xffff_ffff),
);

describe('IdIndex', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('set' as const), id: halves, offset: fc.maxSafeNat() }),
    fc.record({ kind: fc.constant('set64' as const), id: halves, offset: fc.bigInt(0n, 0xffff_ffff_ffff_ffffn) }),
    fc.record({ kind: fc.constant('delete' as const), id: halves }),
  );

  it('holds what a Map would after any operations', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200, size: 'max' }), fc.nat(64), (steps, expected) => {
        const index = new IdIndex(expected);
        const model = new Map<bigint, bigint>();
        for (const { id, ...rest } of steps) {
          const [low, high] = id;
          const key = joinU64(low, high);
          if (rest.kind === 'delete') expect(index.delete(low, high)).toBe(model.delete(key));
          else {
            if (rest.kind === 'set') index.set(low, high, rest.offset);
            else index.set64(low, high, rest.offset);
            model.set(key, BigInt(rest.offset));
          }
          expect(index.size).toBe(model.size);
        }
        const held = new Map<bigint, bigint>();
        index.forEach((low, high, offset, slot) => {
          held.set(joinU64(low, high), index.offset64At(slot));
          if (index.offset64At(slot) < 2n ** 53n) expect(offset).toBe(Number(index.offset64At(slot)));
        });
        expect(held).toEqual(model);
        for (const [key, offset] of model) {
          const slot = index.find(Number(key & 0xffff_ffffn), Number(key >> 32n));
          expect(index.offset64At(slot)).toBe(offset);
        }
      }),
      { seed, numRuns: 300 },
    );
  });

  it('grows to many ids and shrinks to none', () => {
    const index = new IdIndex();
    for (let id = 0; id < 50_000; id++) index.set(id * 8, id & 3, id);
    expect(index.size).toBe(50_000);
    for (let id = 0; id < 50_000; id += 2) expect(index.delete(id * 8, id & 3)).toBe(true);
    for (let id = 0; id < 50_000; id++) {
      const slot = index.find(id * 8, id & 3);
      expect(slot >= 0 ? index.offsetAt(slot) : -1).toBe(id % 2 === 0 ? -1 : id);
    }
    for (let id = 1; id < 50_000; id += 2) index.delete(id * 8, id & 3);
    expect(index.size).toBe(0);
    index.forEach(() => {
      expect.unreachable();
    });
  });
});

interface Row {
  kind: 'store' | 'delete' | 'gap';
  format: 'crc' | 'legacy';
  verdict: Verdict;
  found: boolean;
  id: [number, number] | null;
  length: number;
}

const row: fc.Arbitrary<Row> = fc.record({
  kind: fc.constantFrom('store', 'store', 'store', 'delete', 'gap'),
  format: fc.constantFrom('crc', 'crc', 'legacy'),
  verdict: fc.constantFrom('ok' as const, 'ok' as const, 'ok' as const, ...VERDICTS),
  found: fc.boolean(),
  id: fc.oneof({ weight: 9, arbitrary: halves }, { weight: 1, arbitrary: fc.constant(null) }),
  length: fc.integer({ min: 1, max: 100 }),
});

/** What the table promises, kept as plainly as can be: all rows, looked through for each question. */
class Model {
  readonly rows: Row[] = [];

  applied({ kind, format, verdict }: Row): boolean {
    if (kind === 'gap') return false;
    if (verdict === 'payload-not-json') return format === 'crc';
    return verdict === 'ok' || verdict === 'unprotected' || verdict === 'payload-unreadable';
  }

  history(key: bigint): number[] {
    return this.rows.flatMap(({ kind, id }, index) => (kind !== 'gap' && id && joinU64(...id) === key ? [index] : []));
  }

  live(key: bigint): number {
    const last = this.history(key).findLast((index) => this.applied(this.rows[index]!)) ?? -1;
    return last >= 0 && this.rows[last]!.kind === 'store' ? last : -1;
  }

  state(index: number): string {
    const { kind, id } = this.rows[index]!;
    if (kind === 'gap') return 'gap';
    if (!id || !this.applied(this.rows[index]!)) return 'damaged';
    if (kind === 'delete') return 'dead';
    const later = this.history(joinU64(...id)).some((other) => other > index && this.applied(this.rows[other]!));
    return later ? 'superseded' : 'live';
  }
}

function append(table: RecordTable, model: Model, rows: readonly Row[]): void {
  for (const { kind, format, verdict, found, id, length } of rows) {
    table.push(table.end, encodeInfo(kind, format, verdict, found, id !== null), id?.[0] ?? 0, id?.[1] ?? 0);
    table.end += length;
  }
  model.rows.push(...rows);
}

function expectSame(table: RecordTable, model: Model): void {
  expect(table.rows).toBe(model.rows.length);
  let at = 0;
  model.rows.forEach(({ kind, format, verdict, found, id, length }, index) => {
    expect(table.segment(index)).toEqual({
      offset: at,
      length,
      kind,
      verdict,
      foundBySearch: found,
      ...(kind === 'gap' ? {} : { format }),
      ...(id ? { [kind === 'gap' ? 'claimedId' : 'id']: joinU64(...id) } : {}),
    });
    expect(table.state(index)).toBe(model.state(index));
    expect(table.rowAt(at)).toBe(index);
    expect(table.rowAt(at + length - 1)).toBe(index);
    expect(table.rowStartingAt(at)).toBe(index);
    if (length > 1) expect(table.rowStartingAt(at + 1)).toBe(-1);
    at += length;
  });
  expect(table.rowAt(at)).toBe(-1);

  const keys = new Set(model.rows.flatMap(({ kind, id }) => (kind !== 'gap' && id ? [joinU64(...id)] : [])));
  expect(table.ids).toBe(keys.size);
  for (const key of [...keys, 12345678901234567890n]) {
    const [low, high] = [Number(key & 0xffff_ffffn), Number(key >> 32n)];
    const history = model.history(key);
    expect(table.history(low, high)).toEqual(history);
    const total = history.length;
    for (const from of [undefined, 0, 1, total + 1]) {
      const rows = from === undefined ? history.slice(-2) : history.slice(from, from + 2);
      expect(runToEnd(table.someHistory(low, high, 2, from))).toEqual({ total, rows });
    }
    expect(table.newestRow(low, high)).toBe(history.at(-1) ?? -1);
    expect(table.liveRow(low, high)).toBe(model.live(key));
    for (const index of history) {
      expect(table.versions(index)).toBe(history.length);
      const after = history.some((other) => other > index && model.applied(model.rows[other]!));
      expect(table.hasIntactAfter(index, low, high)).toBe(after);
    }
  }
}

describe('RecordTable', () => {
  it.each([
    ['in plain arrays', false, 200],
    ['in the memory of the fast routine', true, 30],
  ])('answers as a plain list would, linked in any pieces, truncated and linked again, %s', (_, fast, numRuns) => {
    const stretch = fc.record({
      rows: fc.array(row, { maxLength: 40, size: 'max' }),
      linkTo: fc.double({ min: 0, max: 1, noNaN: true }),
      truncateTo: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
    });
    fc.assert(
      fc.property(fc.array(stretch, { maxLength: 6 }), fc.integer({ min: 1, max: 8 }), (stretches, capacity) => {
        const table = new RecordTable(capacity, { fast });
        const model = new Model();
        for (const { rows, linkTo, truncateTo } of stretches) {
          append(table, model, rows);
          table.link(Math.floor(linkTo * table.rows));
          table.link();
          expectSame(table, model);
          if (truncateTo === null) continue;
          const keep = Math.floor(truncateTo * table.rows);
          table.truncate(keep);
          model.rows.length = keep;
          expect(table.linkedRows).toBe(keep);
          expectSame(table, model);
        }
      }),
      { seed, numRuns },
    );
  });

  it('adds every byte to exactly one sum', () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 60 }), (rows) => {
        const table = new RecordTable();
        const model = new Model();
        append(table, model, rows);
        table.link();
        const totals = table.totals();
        const sum = totals.damagedBytes + totals.liveBytes + totals.supersededBytes + totals.deadBytes;
        expect(sum).toBe(table.end);
        const records = rows.filter(({ kind, verdict }) => kind !== 'gap' && verdict !== 'torn');
        expect(totals).toMatchObject({
          records: records.length,
          stores: records.filter(({ kind }) => kind === 'store').length,
          deletes: records.filter(({ kind }) => kind === 'delete').length,
          legacy: records.filter(({ format }) => format === 'legacy').length,
          gaps: rows.filter(({ kind }) => kind === 'gap').length,
          damaged: rows.filter(({ verdict }) => isDamage(verdict)).length,
          live: rows.filter((_, index) => model.state(index) === 'live').length,
        });
      }),
      { seed, numRuns: 200 },
    );
  });

  it('holds a hundred thousand ids, each with its versions, and forgets them from the end', () => {
    const table = new RecordTable();
    const info = encodeInfo('store', 'crc', 'ok', false, true);
    for (let index = 0; index < 200_000; index++) {
      table.push(index * 20, info, (index % 100_000) * 4096, index & 1);
      table.end = index * 20 + 20;
    }
    table.link();
    expect(table.ids).toBe(100_000);
    expect(table.liveRow(7 * 4096, 1)).toBe(100_007);
    expect(table.history(7 * 4096, 1)).toEqual([7, 100_007]);
    table.truncate(100_003);
    expect(table.ids).toBe(100_000);
    expect(table.liveRow(7 * 4096, 1)).toBe(7);
    expect(table.liveRow(2 * 4096, 0)).toBe(100_002);
    table.truncate(0);
    expect([table.ids, table.rows, table.end]).toEqual([0, 0, 0]);
    expect(table.newestRow(7 * 4096, 1)).toBe(-1);
  });

  it('forgets possible records and claims with their rows', () => {
    const table = new RecordTable();
    const gap = encodeInfo('gap', 'crc', 'unknown-bytes', false, false);
    for (const offset of [0, 10, 20]) {
      table.possible.set(table.push(offset, gap, 0, 0), new PossibleRecords());
      table.claimedEnds.set(table.rows - 1, 1000);
    }
    table.end = 30;
    table.truncate(1);
    expect([...table.possible.keys(), ...table.claimedEnds.keys()]).toEqual([0, 0]);
  });
});
