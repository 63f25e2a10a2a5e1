import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemorySource } from './byte-source.ts';
import { goldenCases, goldenPresent } from './golden.fixture.ts';
import { IdIndex } from './id-index.ts';
import { LogBuilder, packageCrc32 } from './log-builder.fixture.ts';
import type { RecordTable } from './record-table.ts';
import { scan } from './scan.ts';
import { encodeSnapshot, parseSnapshot, type Snapshot } from './snapshot.ts';
import { checkSnapshot, type SnapshotCheck } from './snapshot-check.ts';
import { runToEnd } from './steps.ts';

function scanned(log: Uint8Array): RecordTable {
  const table = runToEnd(scan({ source: new MemorySource(log), crc32: packageCrc32 }));
  table.link();
  return table;
}

function parsed(bytes: Uint8Array): Snapshot {
  const result = parseSnapshot(bytes, packageCrc32);
  if (!result.ok) throw new Error(result.error.message);
  return result.snapshot;
}

function snapshotOf(position: number, entries: [number, number][]): Snapshot {
  const index = new IdIndex();
  for (const [id, offset] of entries) index.set(id, 0, offset);
  return parsed(encodeSnapshot(position, index, packageCrc32));
}

function check(log: Uint8Array, snapshot: Snapshot, limit?: number): SnapshotCheck {
  return runToEnd(checkSnapshot({ source: { size: log.length }, table: scanned(log), snapshot, limit }));
}

/** kind, id, what the log has, what the snapshot claims. */
type Row = [string, string | null, string | null, string | null];

function rowsOf(result: SnapshotCheck): Row[] {
  return result.disagreements.map(({ kind, id, expected, found }) => [
    kind,
    id === undefined ? null : String(id),
    expected ?? null,
    found ?? null,
  ]);
}

/** By hand from golden/INDEX.md and the bytes: entries and position of each snapshot against the records of its log. */
const GOLDEN: Record<string, Row[] | { invalid: string }> = {
  // Snapshots the engine wrote of its own log, nothing else happened.
  snap_at_end: [],
  snap_empty_storage: [],
  snap_then_tail: [],
  // Position 0, nothing listed, nothing before it: says nothing false.
  snap_pos_zero_empty: [],
  // The torn record lies behind the position: no matter of the snapshot.
  snap_tail_torn: [],
  // Refused by its own checks, so there is nothing to compare.
  snap_bad_version: { invalid: 'Unsupported version' },
  snap_bad_crc: { invalid: 'CRC mismatch' },
  snap_entry_flip: { invalid: 'CRC mismatch' },
  snap_zero_len: { invalid: 'Snapshot too small' },
  snap_count_low: { invalid: 'Size mismatch' },
  // Position 110 of a log cut to 73 (records of 1 and 2); id 3 is gone.
  snap_ahead_of_log: [
    ['position-beyond-end', null, '73', '110'],
    ['extra-entry', '3', null, '82'],
  ],
  snap_ahead_log_empty: [
    ['position-beyond-end', null, '0', '110'],
    ['extra-entry', '1', null, '9'],
    ['extra-entry', '2', null, '46'],
    ['extra-entry', '3', null, '82'],
  ],
  snap_ahead_log_missing: [
    ['position-beyond-end', null, '0', '110'],
    ['extra-entry', '1', null, '9'],
    ['extra-entry', '2', null, '46'],
    ['extra-entry', '3', null, '82'],
  ],
  // 78 is inside the record of id 3 (73 to 110): replay starts in the middle of it and never sees it.
  snap_mid_record: [
    ['position-not-on-boundary', null, '73 or 110', '78'],
    ['hides-records', null, '1', '0'],
    ['missing-entry', '3', '82', null],
  ],
  snap_pos_end_empty: [
    ['hides-records', null, '3', '0'],
    ['missing-entry', '1', '9', null],
    ['missing-entry', '2', '46', null],
    ['missing-entry', '3', '82', null],
  ],
  snap_pos_beyond_empty: [
    ['position-beyond-end', null, '110', '1000000000000000'],
    ['hides-records', null, '3', '0'],
    ['missing-entry', '1', '9', null],
    ['missing-entry', '2', '46', null],
    ['missing-entry', '3', '82', null],
  ],
  // The log is now: id 3 at 0, id 1 at 37, end 74. The snapshot is of the old one: 1 at 0, 2 at 37, 3 at 73, end 110.
  snap_stale_after_compaction: [
    ['position-beyond-end', null, '74', '110'],
    ['points-elsewhere', '1', '46', '9'],
    ['extra-entry', '2', null, '46'],
    ['points-elsewhere', '3', '9', '82'],
  ],
  snap_offsets_swapped: [
    ['points-elsewhere', '1', '9', '46'],
    ['points-elsewhere', '2', '46', '9'],
  ],
  snap_offset_garbage: [
    ['points-elsewhere', '1', '9', '15'],
    ['points-elsewhere', '2', '46', '1110'],
    ['points-elsewhere', '3', '82', '18446744073709551615'],
    ['extra-entry', '4', null, '9'],
  ],
  // Entries (1, 9), (1, 46): the last wins, and 46 is the record of id 2. Ids 2 and 3 are not listed.
  snap_dup_ids: [
    ['hides-records', null, '2', '0'],
    ['duplicate-id', '1', null, '9'],
    ['points-elsewhere', '1', '9', '46'],
    ['missing-entry', '2', '46', null],
    ['missing-entry', '3', '82', null],
  ],
  // The marker at 37 is destroyed; the entry of id 2 still points to 46.
  snap_hides_marker_damage: [['hides-damage', '2', null, '46']],
  // Twenty bytes too low: 101 is at 110, 102 at 136 to 162, the position is 144.
  snap_shifted_after_enospc: [
    ['position-not-on-boundary', null, '136 or 162', '144'],
    ['points-elsewhere', '101', '119', '99'],
    ['points-elsewhere', '102', '145', '126'],
  ],
  // Id 50 (24 to 53) was appended by another process; id 2 stands at 53, behind the position 48.
  snap_after_external_append: [
    ['position-not-on-boundary', null, '24 or 53', '48'],
    ['hides-records', null, '1', '0'],
    ['extra-entry', '2', null, '33'],
    ['missing-entry', '50', '33', null],
  ],
};

describe.skipIf(!goldenPresent)('golden snapshots', () => {
  const cases = goldenCases().filter(({ snapshot }) => snapshot !== null);

  it('are all derived by hand above', () => {
    expect(cases.map(({ name }) => name).sort()).toEqual(Object.keys(GOLDEN).sort());
  });

  for (const { name, log, snapshot } of cases) {
    const expected = GOLDEN[name];
    it(`${name}: ${Array.isArray(expected) && expected.length === 0 ? 'agrees' : 'is told what is wrong'}`, () => {
      const own = parseSnapshot(snapshot!, packageCrc32);
      if (!Array.isArray(expected)) {
        expect(own).toMatchObject({ ok: false, error: { message: expected!.invalid } });
        return;
      }
      if (!own.ok) throw new Error(own.error.message);
      const result = check(log, own.snapshot);
      expect(rowsOf(result)).toEqual(expected);
      expect(result.total).toBe(expected.length);
      expect(result.state).toBe(expected.length === 0 ? 'valid' : 'disagrees');
    });
  }
});

describe('checkSnapshot', () => {
  it('agrees with a snapshot taken before later overwrites and deletes', () => {
    const log = new LogBuilder().store(1).store(2);
    const position = log.length;
    const snapshot = snapshotOf(position, [
      [1, log.offsets[0]! + 9],
      [2, log.offsets[1]! + 9],
    ]);
    log.store(1, '"newer"').delete(2).store(3);
    expect(check(log.bytes(), snapshot)).toMatchObject({ state: 'valid', total: 0, disagreements: [] });
  });

  it('expects no entry for an id deleted before the position', () => {
    const log = new LogBuilder().store(1).delete(1);
    expect(rowsOf(check(log.bytes(), snapshotOf(log.length, [[1, 9]])))).toEqual([['extra-entry', '1', null, '9']]);
    expect(check(log.bytes(), snapshotOf(log.length, [])).state).toBe('valid');
  });

  it('names an entry that points to an older version of its id', () => {
    const log = new LogBuilder().store(1, '"old"').store(1, '"new"');
    const newer = String(log.offsets[1]! + 9);
    expect(rowsOf(check(log.bytes(), snapshotOf(log.length, [[1, 9]])))).toEqual([
      ['points-elsewhere', '1', newer, '9'],
    ]);
  });

  it('agrees with an older version where the newer one failed its CRC: replay from 0 skips it as well', () => {
    const log = new LogBuilder().store(1, '"old"').store(1, '"new"').store(2);
    const bytes = log.bytes();
    bytes[log.offsets[1]! + 14]! ^= 1;
    const entries: [number, number][] = [
      [1, 9],
      [2, log.offsets[2]! + 9],
    ];
    expect(check(bytes, snapshotOf(log.length, entries)).state).toBe('valid');
  });

  it('says that an entry hides damage where it points to a record that failed its CRC since', () => {
    const log = new LogBuilder().store(1, '"old"').store(1, '"new"').store(2);
    const bytes = log.bytes();
    bytes[log.offsets[1]! + 14]! ^= 1;
    const damaged = log.offsets[1]! + 9;
    const snapshot = snapshotOf(log.length, [
      [1, damaged],
      [2, log.offsets[2]! + 9],
    ]);
    expect(rowsOf(check(bytes, snapshot))).toEqual([['hides-damage', '1', '9', String(damaged)]]);
  });

  it('recognises the entry of a record whose id is what was damaged', () => {
    const log = new LogBuilder().store(1).store(66);
    const bytes = log.bytes();
    bytes[1]! ^= 64; // id 1 now reads as 65
    const snapshot = snapshotOf(log.length, [
      [1, 9],
      [66, log.offsets[1]! + 9],
    ]);
    expect(rowsOf(check(bytes, snapshot))).toEqual([['hides-damage', '1', null, '9']]);
  });

  it('does not let the id that damage claims pass for listed', () => {
    const log = new LogBuilder().store(65).store(1).store(2);
    const bytes = log.bytes();
    bytes[log.offsets[1]! + 1]! ^= 64; // the record of id 1 claims id 65
    const snapshot = snapshotOf(log.length, [
      [1, log.offsets[1]! + 9],
      [2, log.offsets[2]! + 9],
    ]);
    expect(rowsOf(check(bytes, snapshot))).toEqual([
      ['hides-records', null, '1', '0'],
      ['hides-damage', '1', null, String(log.offsets[1]! + 9)],
      ['missing-entry', '65', '9', null],
    ]);
  });

  it('explains a missing id by the damaged delete behind it', () => {
    const log = new LogBuilder().store(1).delete(1).store(2);
    const bytes = log.bytes();
    bytes[log.offsets[1]! + 12]! ^= 1;
    const snapshot = snapshotOf(log.length, [[2, log.offsets[2]! + 9]]);
    expect(rowsOf(check(bytes, snapshot))).toEqual([['hides-damage', '1', '9', null]]);
  });

  it('says that the position lies behind damage that no entry points at, once for one gap', () => {
    const log = new LogBuilder().store(1).raw([0xde, 0xad]).raw(new Uint8Array(40)).raw([0xbe]).store(2);
    const snapshot = snapshotOf(log.length, [
      [1, 9],
      [2, log.offsets[4]! + 9],
    ]);
    expect(rowsOf(check(log.bytes(), snapshot))).toEqual([['hides-damage', null, null, String(log.offsets[1])]]);
  });

  it('says so of a torn record that writing went on behind, under a snapshot at the end', () => {
    const log = new LogBuilder().store(1).raw([0xc3, 7, 0, 0, 0, 0, 0, 0, 0, 9]);
    expect(rowsOf(check(log.bytes(), snapshotOf(log.length, [[1, 9]])))).toEqual([
      ['hides-damage', null, null, String(log.offsets[1])],
    ]);
    expect(check(log.bytes(), snapshotOf(log.offsets[1]!, [[1, 9]])).state).toBe('valid');
  });

  it('agrees with an entry of a legacy record whose payload is no JSON: every VelesDB applies it unseen', () => {
    const log = new LogBuilder().legacyStore(1, 'garbage').legacyStore(2, '{}');
    const snapshot = snapshotOf(log.length, [
      [1, 9],
      [2, log.offsets[1]! + 9],
    ]);
    expect(check(log.bytes(), snapshot).state).toBe('valid');
  });

  it('lists no more than the limit and counts all', () => {
    const log = new LogBuilder();
    for (let id = 0; id < 500; id++) log.store(id);
    const result = check(log.bytes(), snapshotOf(log.length, []), 10);
    expect(result.disagreements).toHaveLength(10);
    expect(result.total).toBe(501);
    expect(result.byKind).toEqual({ 'missing-entry': 500, 'hides-records': 1 });
  });

  it('agrees with the snapshot of any log at any record boundary, and disagrees once an entry is moved', () => {
    const operation = fc.record({ id: fc.nat(12), kind: fc.constantFrom('store', 'store', 'delete', 'legacy') });
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), fc.nat(), fc.nat(), (operations, cut, pick) => {
        const log = new LogBuilder();
        const live = new Map<number, number>();
        const stop = cut % (operations.length + 1);
        let snapshot: Snapshot | null = null;
        let moved: Snapshot | null = null;
        const take = () => {
          snapshot = snapshotOf(log.length, [...live]);
          if (live.size === 0) return;
          const entries = [...live];
          entries[pick % entries.length]![1] += 1;
          moved = snapshotOf(log.length, entries);
        };
        operations.forEach(({ id, kind }, index) => {
          if (index === stop) take();
          if (kind === 'delete') {
            live.delete(id);
            log.delete(id);
          } else {
            live.set(id, log.length + 9);
            if (kind === 'store') log.store(id);
            else log.legacyStore(id);
          }
        });
        if (stop === operations.length) take();
        expect(check(log.bytes(), snapshot!)).toMatchObject({ state: 'valid', total: 0 });
        if (moved) expect(check(log.bytes(), moved)).toMatchObject({ state: 'disagrees', total: 1 });
      }),
      { numRuns: 300 },
    );
  });
});
