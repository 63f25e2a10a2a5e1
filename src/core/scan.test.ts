import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemorySource } from './byte-source.ts';
import { GENERATIONS, POLICIES } from './generation.ts';
import { LogBuilder, packageCrc32, text } from './log-builder.fixture.ts';
import { appliedMutations, type MutatedLog, mutate, mutations, originalLog } from './mutated-log.fixture.ts';
import type { Crc32 } from './record.ts';
import type { RecordTable } from './record-table.ts';
import { replay } from './replay.ts';
import { rowToRescanFrom, scan } from './scan.ts';
import { runToEnd } from './steps.ts';
import { joinU64, writeU32 } from './u64.ts';
import { HASHED_AT_ONCE } from './window.ts';

function scanned(log: Uint8Array): RecordTable {
  const table = runToEnd(scan({ source: new MemorySource(log), crc32: packageCrc32 }));
  table.link();
  return table;
}

/** One line a segment: offset, kind, format, id or claimed id, verdict, and an asterisk if found by search. */
function lines(table: RecordTable): string[] {
  return Array.from({ length: table.rows }, (_, row) => {
    const { offset, length, kind, format, id, claimedId, verdict, foundBySearch } = table.segment(row);
    const who = id !== undefined ? ` ${id}` : claimedId !== undefined ? ` claims ${claimedId}` : '';
    const form = format === 'legacy' ? 'legacy ' : '';
    return `${offset}+${length} ${form}${kind}${who} ${verdict}${foundBySearch ? ' *' : ''}`;
  });
}

function segmentsOf(builder: LogBuilder, change?: (bytes: Uint8Array) => void): string[] {
  const bytes = builder.bytes();
  change?.(bytes);
  return lines(scanned(bytes));
}

/** `{"id":1}` and the like: a record of 25 bytes. */
const RECORD = 25;

describe('a sound log', () => {
  it('of no bytes has no segments', () => {
    expect(segmentsOf(new LogBuilder())).toEqual([]);
  });

  it('is one segment a record, in any mixture of formats and kinds', () => {
    const log = new LogBuilder().store(1).delete(2).legacyStore(3).legacyDelete(4).store(5);
    expect(segmentsOf(log)).toEqual([
      '0+25 store 1 ok',
      '25+13 delete 2 ok',
      '38+21 legacy store 3 unprotected',
      '59+9 legacy delete 4 unprotected',
      '68+25 store 5 ok',
    ]);
  });

  it('may hold records larger than the window, between small ones', () => {
    const large = `"${'x'.repeat(3 << 20)}"`;
    const log = new LogBuilder().store(1).store(2, large).store(3).store(4, large);
    expect(segmentsOf(log)).toEqual([
      '0+25 store 1 ok',
      `25+${large.length + 17} store 2 ok`,
      `${25 + large.length + 17}+25 store 3 ok`,
      `${50 + large.length + 17}+${large.length + 17} store 4 ok`,
    ]);
  });

  it('has lengths that damage made up hashed in steps too, wherever they are asked about', () => {
    const size = HASHED_AT_ONCE * 5;
    const log = new Uint8Array(size).fill(0x20);
    // Behind damage, false lengths that span half the file: some stand where the search comes, some where another one ends.
    log.set([0xff, 0xff], 0);
    const half = size >> 1;
    for (const at of [100, 5_000, 70_000, 3_000_000, half + 100 + 17, half + 5_000 + 17]) {
      log[at] = 0xc3;
      writeU32(log, at + 9, at < half ? half : HASHED_AT_ONCE * 2);
    }
    const expected = lines(runToEnd(scan({ source: new MemorySource(log), crc32: packageCrc32, fast: false })));
    let hashed = 0;
    let all = 0;
    let longest = 0;
    const counting: Crc32 = (bytes, seed) => {
      hashed += bytes.length;
      return packageCrc32(bytes, seed);
    };
    const steps = scan({ source: new MemorySource(log), crc32: counting });
    for (let step = steps.next(); ; step = steps.next()) {
      longest = Math.max(longest, hashed);
      all += hashed;
      hashed = 0;
      if (!step.done) continue;
      expect(lines(step.value)).toEqual(expected);
      break;
    }
    expect(all).toBeGreaterThan(2 * half);
    expect(longest).toBeLessThan(2.5 * HASHED_AT_ONCE);
  });

  it('has its long records hashed in steps, so that nobody waits for the whole of one', () => {
    const payload = new Uint8Array(HASHED_AT_ONCE * 2).fill(0x78);
    const log = new LogBuilder().store(1).store(2, payload).store(3, payload).bytes();
    log[log.length - 1]! ^= 1;
    for (const fast of [true, false]) {
      let hashed = 0;
      let longest = 0;
      const counting: Crc32 = (bytes, seed) => {
        hashed += bytes.length;
        return packageCrc32(bytes, seed);
      };
      const steps = scan({ source: new MemorySource(log), crc32: counting, fast });
      for (let step = steps.next(); ; step = steps.next()) {
        longest = Math.max(longest, hashed);
        hashed = 0;
        if (!step.done) continue;
        expect(lines(step.value)).toEqual([
          `0+${RECORD} store 1 ok`,
          `${RECORD}+${payload.length + 17} store 2 ok`,
          `${RECORD + payload.length + 17}+${payload.length + 17} store 3 crc-mismatch`,
        ]);
        break;
      }
      expect(longest).toBeLessThan(payload.length);
    }
  });

  it('says nothing of payloads: that is another pass', () => {
    expect(segmentsOf(new LogBuilder().store(1, 'no json').store(2, ''))).toEqual([
      '0+24 store 1 ok',
      '24+17 store 2 ok',
    ]);
  });
});

describe('a CRC that fails', () => {
  it('leaves the framing believed where an intact record follows', () => {
    const log = new LogBuilder().store(1).store(2).store(3);
    expect(segmentsOf(log, (bytes) => (bytes[RECORD + 15]! ^= 1))).toEqual([
      '0+25 store 1 ok',
      '25+25 store 2 crc-mismatch',
      '50+25 store 3 ok',
    ]);
  });

  it('leaves it believed where the file ends', () => {
    const log = new LogBuilder().store(1).delete(2);
    expect(segmentsOf(log, (bytes) => (bytes[RECORD + 12]! ^= 1))).toEqual([
      '0+25 store 1 ok',
      '25+13 delete 2 crc-mismatch',
    ]);
  });

  it('leaves it believed over several damaged records in a row', () => {
    const log = new LogBuilder().store(1).store(2).delete(3).store(4).store(5);
    const damage = (bytes: Uint8Array) => {
      for (const offset of log.offsets.slice(1, 4)) bytes[offset + 1]! ^= 0x80;
    };
    expect(segmentsOf(log, damage)).toEqual([
      '0+25 store 1 ok',
      '25+25 store 130 crc-mismatch',
      '50+13 delete 131 crc-mismatch',
      '63+25 store 132 crc-mismatch',
      '88+25 store 5 ok',
    ]);
  });

  it('leaves it believed over a hundred damaged records, to a torn one', () => {
    const log = new LogBuilder();
    for (let id = 0; id < 100; id++) log.store(1);
    log.raw([0xc3, 9]);
    const found = segmentsOf(log, (bytes) => {
      for (let record = 0; record < 100; record++) bytes[record * RECORD + 20]! ^= 4;
    });
    expect(found).toHaveLength(101);
    expect(new Set(found.slice(0, 100).map((line) => line.split(' ').slice(1).join(' ')))).toEqual(
      new Set(['store 1 crc-mismatch']),
    );
    expect(found[100]).toBe('2500+2 store torn');
  });

  it('leaves it believed where a legacy record with JSON follows', () => {
    const log = new LogBuilder().store(1).legacyStore(2);
    expect(segmentsOf(log, (bytes) => (bytes[15]! ^= 1))).toEqual([
      '0+25 store 1 crc-mismatch',
      '25+21 legacy store 2 unprotected',
    ]);
  });

  it('with a length that leads nowhere makes a gap to the next record found', () => {
    const log = new LogBuilder().store(1).store(2).store(3).store(4);
    expect(segmentsOf(log, (bytes) => (bytes[RECORD + 9] = 2))).toEqual([
      '0+25 store 1 ok',
      '25+25 gap claims 2 unknown-bytes',
      '50+25 store 3 ok *',
      '75+25 store 4 ok',
    ]);
  });

  it('with a length beyond the end makes a gap as well, if a record is found inside', () => {
    const log = new LogBuilder().store(1).store(2).store(3);
    expect(segmentsOf(log, (bytes) => (bytes[RECORD + 12] = 0x7f))).toEqual([
      '0+25 store 1 ok',
      '25+25 gap claims 2 unknown-bytes',
      '50+25 store 3 ok *',
    ]);
  });

  it('with a length on to a later boundary hides none of the records between: they reach the end it claims', () => {
    const log = new LogBuilder().store(1).store(2).store(3).store(4);
    expect(segmentsOf(log, (bytes) => (bytes[9] = 8 + 2 * RECORD))).toEqual([
      '0+25 gap claims 1 unknown-bytes',
      '25+25 store 2 ok *',
      '50+25 store 3 ok',
      '75+25 store 4 ok',
    ]);
  });

  it('with a length on to the end of the file does not either', () => {
    const log = new LogBuilder().store(1).store(2).store(3);
    expect(segmentsOf(log, (bytes) => (bytes[9] = 8 + 2 * RECORD))).toEqual([
      '0+25 gap claims 1 unknown-bytes',
      '25+25 store 2 ok *',
      '50+25 store 3 ok',
    ]);
  });
});

describe('ghosts: whole records inside the payload of a damaged one', () => {
  const ghost = new LogBuilder().store(666, '{"ghost":true}').bytes();
  const payload = Uint8Array.from([0x22, ...ghost, 0x22]);

  it('are listed, not applied, where the damaged record ends on an intact one', () => {
    const log = new LogBuilder().store(1).store(5, payload).store(2);
    const bytes = log.bytes();
    bytes[RECORD + 13] = 0x23;
    const table = scanned(bytes);
    expect(lines(table)).toEqual(['0+25 store 1 ok', '25+50 store 5 crc-mismatch', '75+25 store 2 ok']);
    expect(table.possible.get(1)?.first()).toEqual([{ offset: 39, length: 31, id: 666n }]);
    expect(table.liveRow(666, 0)).toBe(-1);
  });

  it('are listed where it ends with the file', () => {
    const log = new LogBuilder().store(5, payload);
    const bytes = log.bytes();
    bytes[13] = 0x23;
    const table = scanned(bytes);
    expect(lines(table)).toEqual(['0+50 store 5 crc-mismatch']);
    expect(table.possible.get(0)?.first()).toEqual([{ offset: 14, length: 31, id: 666n }]);
  });

  it('are found where the damaged record does not end on a record', () => {
    const log = new LogBuilder().store(5, payload).raw([0xff, 0xfe]).store(2);
    expect(segmentsOf(log, (bytes) => (bytes[13] = 0x23))).toEqual([
      '0+14 gap claims 5 unknown-bytes',
      '14+31 store 666 ok *',
      '45+7 gap unknown-bytes',
      '52+25 store 2 ok *',
    ]);
  });

  it('stay hidden where the record around them is intact', () => {
    expect(segmentsOf(new LogBuilder().store(5, payload).store(2))).toEqual(['0+50 store 5 ok', '50+25 store 2 ok']);
  });

  it('are none where a chain over legacy and damaged records leads to the end the damaged length claims', () => {
    const log = new LogBuilder().store(1).store(2).legacyStore(3).store(4).legacyDelete(5).store(6).store(7);
    const found = segmentsOf(log, (bytes) => {
      bytes[9] = log.offsets[6]! - 17;
      bytes[log.offsets[3]! + 15]! ^= 1;
    });
    expect(found).toEqual([
      '0+25 gap claims 1 unknown-bytes',
      '25+25 store 2 ok *',
      '50+21 legacy store 3 unprotected',
      '71+25 store 4 crc-mismatch',
      '96+9 legacy delete 5 unprotected',
      '105+25 store 6 ok',
      '130+25 store 7 ok',
    ]);
  });

  it('of a chain that does not reach the end are listed under the gap, if another chain does', () => {
    // The damaged length swallows: three bytes, a record, one byte, then two records up to where an intact one starts.
    const inside = new LogBuilder().raw([7, 7, 7]).store(6).raw([7]).store(7).store(8);
    const log = new LogBuilder()
      .raw([0xc3, 5, 0, 0, 0, 0, 0, 0, 0, inside.length - 4, 0, 0, 0])
      .raw(inside.bytes())
      .store(3);
    const table = scanned(log.bytes());
    expect(lines(table)).toEqual([
      '0+42 gap claims 5 unknown-bytes',
      '42+25 store 7 ok *',
      '67+25 store 8 ok',
      '92+25 store 3 ok',
    ]);
    expect(table.possible.get(0)?.first()).toEqual([{ offset: 16, length: 25, id: 6n }]);
  });
});

describe('the end of the log', () => {
  const whole = new LogBuilder().store(1).store(2).bytes();

  it('is torn wherever a store was cut, with the id once it is whole', () => {
    for (let cut = 1; cut < RECORD; cut++) {
      const id = cut >= 9 ? ' 2' : '';
      expect(lines(scanned(whole.subarray(0, RECORD + cut)))).toEqual(['0+25 store 1 ok', `25+${cut} store${id} torn`]);
    }
  });

  it('is torn wherever a delete or a legacy record was cut', () => {
    const deleted = new LogBuilder().store(1).delete(2).bytes();
    for (let cut = 1; cut < 13; cut++) {
      const id = cut >= 9 ? ' 2' : '';
      expect(lines(scanned(deleted.subarray(0, RECORD + cut)))[1]).toBe(`25+${cut} delete${id} torn`);
    }
    const legacy = new LogBuilder().store(1).legacyStore(2).bytes();
    for (let cut = 1; cut < 21; cut++) {
      const id = cut >= 9 ? ' 2' : '';
      expect(lines(scanned(legacy.subarray(0, RECORD + cut)))[1]).toBe(`25+${cut} legacy store${id} torn`);
    }
    const tombstone = new LogBuilder().store(1).legacyDelete(2).bytes();
    expect(lines(scanned(tombstone.subarray(0, RECORD + 8)))[1]).toBe('25+8 legacy delete torn');
  });

  it('is zero-filled from the first zero of a run that reaches it, however short', () => {
    for (const zeros of [1, 8, 9, 15, 16, 5000]) {
      const log = new LogBuilder().store(1).raw(new Uint8Array(zeros));
      expect(segmentsOf(log)).toEqual(['0+25 store 1 ok', `25+${zeros} gap zero-filled`]);
    }
  });

  it('may be other bytes, and zeros behind them', () => {
    expect(segmentsOf(new LogBuilder().store(1).raw([0xde, 0xad]))).toEqual([
      '0+25 store 1 ok',
      '25+2 gap unknown-bytes',
    ]);
    expect(segmentsOf(new LogBuilder().store(1).raw([0xde, 0xad, 0, 0, 0]))).toEqual([
      '0+25 store 1 ok',
      '25+2 gap unknown-bytes',
      '27+3 gap zero-filled',
    ]);
  });

  it('keeps the zeros that a torn record ends in', () => {
    expect(segmentsOf(new LogBuilder().store(1).raw([0xc3, 5, 0, 0, 0]))).toEqual([
      '0+25 store 1 ok',
      '25+5 store torn',
    ]);
  });

  it('parts a record that was written in part from the zeros its sector was extended with', () => {
    const log = new LogBuilder()
      .store(1)
      .raw([0xc3, 4, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0, 0x7b])
      .raw(new Uint8Array(500));
    expect(segmentsOf(log)).toEqual(['0+25 store 1 ok', '25+14 gap claims 4 unknown-bytes', '39+500 gap zero-filled']);
  });
});

describe('a gap', () => {
  it('parts runs of sixteen zeros from other bytes, not runs of fifteen', () => {
    const around = (zeros: number) =>
      new LogBuilder().store(1).raw([0xff]).raw(new Uint8Array(zeros)).raw([0xee]).store(2);
    expect(segmentsOf(around(15))).toEqual(['0+25 store 1 ok', '25+17 gap unknown-bytes', '42+25 store 2 ok *']);
    expect(segmentsOf(around(16))).toEqual([
      '0+25 store 1 ok',
      '25+1 gap unknown-bytes',
      '26+16 gap zero-filled',
      '42+1 gap unknown-bytes',
      '43+25 store 2 ok *',
    ]);
  });

  it('finds runs of zeros across the pieces it is read in', () => {
    const log = new LogBuilder()
      .raw(new Uint8Array((1 << 20) - 8).fill(0x20))
      .raw(new Uint8Array(16))
      .raw([0x20])
      .store(1);
    expect(segmentsOf(log)).toEqual([
      `0+${(1 << 20) - 8} gap unknown-bytes`,
      `${(1 << 20) - 8}+16 gap zero-filled`,
      `${(1 << 20) + 8}+1 gap unknown-bytes`,
      `${(1 << 20) + 9}+25 store 1 ok *`,
    ]);
  });

  it('claims an id only where it begins with a marker', () => {
    expect(segmentsOf(new LogBuilder().raw([0x99, 1, 0, 0, 0, 0, 0, 0, 0]).store(2))[0]).toBe('0+9 gap unknown-bytes');
    expect(segmentsOf(new LogBuilder().raw([0xc4, 1, 0, 0, 0, 0, 0, 0, 0]).store(2))[0]).toBe(
      '0+9 gap claims 1 unknown-bytes',
    );
  });

  it('ends at a record found across the edge of a window', () => {
    for (const before of [(1 << 20) - 13, (1 << 20) - 12, (1 << 20) - 1, 1 << 20, (1 << 19) - 5]) {
      const log = new LogBuilder().raw(new Uint8Array(before).fill(0x20)).store(1);
      expect(segmentsOf(log)).toEqual([`0+${before} gap unknown-bytes`, `${before}+25 store 1 ok *`]);
    }
  });
});

describe('legacy records', () => {
  it('are believed where their payload is JSON, whatever follows', () => {
    expect(segmentsOf(new LogBuilder().legacyStore(1).raw([0x99, 0x98]).store(2))).toEqual([
      '0+21 legacy store 1 unprotected',
      '21+2 gap unknown-bytes',
      '23+25 store 2 ok *',
    ]);
  });

  it('whose payload is no JSON give way to CRC records inside', () => {
    const inside = new LogBuilder().store(7).bytes();
    const log = new LogBuilder().legacyStore(1, inside).store(2);
    expect(segmentsOf(log)).toEqual(['0+13 gap claims 1 unknown-bytes', '13+25 store 7 ok *', '38+25 store 2 ok']);
  });

  it('whose payload is no JSON stay records where one follows and none is inside', () => {
    expect(segmentsOf(new LogBuilder().legacyStore(1, 'garbage').store(2))).toEqual([
      '0+20 legacy store 1 payload-not-json',
      '20+25 store 2 ok',
    ]);
  });

  it('with an empty payload are no JSON', () => {
    expect(segmentsOf(new LogBuilder().legacyStore(1, '').store(2))[0]).toBe('0+13 legacy store 1 payload-not-json');
  });

  it('delete only where a record or the end follows', () => {
    expect(segmentsOf(new LogBuilder().legacyDelete(1).legacyDelete(2))).toEqual([
      '0+9 legacy delete 1 unprotected',
      '9+9 legacy delete 2 unprotected',
    ]);
    expect(segmentsOf(new LogBuilder().legacyDelete(1).raw([0x55]).store(2))).toEqual([
      '0+10 gap claims 1 unknown-bytes',
      '10+25 store 2 ok *',
    ]);
  });

  it('do not delete where a CRC record starts inside the nine bytes', () => {
    // Two bytes 02 before a record; nine bytes on, inside it, stands what reads as a legacy delete up to its end.
    const record = new LogBuilder().delete(0x0200_0000_0000_0000n);
    const log = new LogBuilder().store(1).raw([0x02]).raw(record.bytes()).store(3);
    expect(segmentsOf(log)).toContain('26+13 delete 144115188075855872 ok *');
  });

  it('are found by search where a chain supports them: the end, an intact record, other legacy records', () => {
    const behind = (build: (log: LogBuilder) => void) => {
      const log = new LogBuilder().raw([0x99]).legacyStore(1);
      build(log);
      return segmentsOf(log);
    };
    const found = ['0+1 gap unknown-bytes', '1+21 legacy store 1 unprotected *'];
    expect(behind(() => {})).toEqual(found);
    expect(behind((log) => log.store(2))).toEqual([...found, '22+25 store 2 ok']);
    expect(behind((log) => log.legacyDelete(2).legacyStore(3))).toEqual([
      ...found,
      '22+9 legacy delete 2 unprotected',
      '31+21 legacy store 3 unprotected',
    ]);
    expect(behind((log) => log.raw([0x01, 2, 0]))).toEqual([...found, '22+3 legacy store torn']);
  });

  it('are not found by search on their own', () => {
    expect(segmentsOf(new LogBuilder().raw([0x99]).legacyStore(1).raw([0x98, 0x97]))).toEqual([
      '0+24 gap unknown-bytes',
    ]);
    expect(segmentsOf(new LogBuilder().raw([0x99]).legacyStore(1, 'text').store(2))).toEqual([
      '0+18 gap unknown-bytes',
      '18+25 store 2 ok *',
    ]);
  });

  it('deletes are never found by search', () => {
    expect(segmentsOf(new LogBuilder().raw([0x99]).legacyDelete(1).legacyStore(2))).toEqual([
      '0+10 gap unknown-bytes',
      '10+21 legacy store 2 unprotected *',
    ]);
  });
});

/** Replay as docs/format.md tells it, written again as plainly as can be. */
function plainReplay(log: Uint8Array, generation: (typeof GENERATIONS)[number]): string {
  const policy = POLICIES[generation];
  const view = new DataView(log.buffer, log.byteOffset, log.length);
  const index = new Map<bigint, number>();
  const done = () => JSON.stringify([...index].map(([id, offset]) => [String(id), offset]).sort());
  const short = () => (policy.shortRead === 'refuse' ? 'UnexpectedEof: failed to fill whole buffer' : done());
  const past = () =>
    policy.pastEnd === 'refuse-length' ? 'InvalidData: WAL payload length exceeds remaining file' : short();
  for (let at = 0; at < log.length; ) {
    if (log.length - at < 9) return short();
    const id = view.getBigUint64(at + 1, true);
    const marker = log[at];
    if (marker === 0xc3 || marker === 0x01) {
      if (log.length - at < 13) return short();
      const payload = view.getUint32(at + 9, true);
      const end = at + 13 + payload + (marker === 0xc3 ? 4 : 0);
      if (end > log.length && !(marker === 0x01 && policy.indexesLegacyPastEnd)) return past();
      const good = marker === 0x01 || packageCrc32(log.subarray(at, end - 4)) === view.getUint32(end - 4, true);
      if (good) index.set(id, at + 9);
      at = end;
    } else if (marker === 0xc4) {
      if (log.length - at < 13) return short();
      if (packageCrc32(log.subarray(at, at + 9)) === view.getUint32(at + 9, true)) index.delete(id);
      at += 13;
    } else if (marker === 0x02) {
      index.delete(id);
      at += 9;
    } else {
      return policy.unknownMarker === 'refuse' ? 'InvalidData: Unknown WAL marker' : done();
    }
  }
  return done();
}

/** Set VELESCOPE_SEED (and VELESCOPE_PATH, as a failure prints them) to run a failure again; VELESCOPE_RUNS for more. */
const runs = Number(process.env.VELESCOPE_RUNS ?? 3000);
const seed = Number(process.env.VELESCOPE_SEED ?? (Math.random() * 0x7fff_ffff) | 0);
const path = process.env.VELESCOPE_PATH;
console.log(`mutated logs: VELESCOPE_SEED=${seed} VELESCOPE_RUNS=${runs}`);
const parameters = { seed, numRuns: runs, ...(path ? { path } : {}) };

/** A damaged log with what the generator knows of it. */
const damagedLog: fc.Arbitrary<MutatedLog> = fc
  .tuple(originalLog, mutations)
  .map(([original, changes]) => mutate(original, changes));

describe('thousands of mutated logs', () => {
  it('are tiled; every untouched record is found; none is invented; replay is as documented', {
    timeout: 300_000,
  }, () => {
    let found = 0;
    let possible = 0;
    fc.assert(
      fc.property(damagedLog, (mutated) => {
        const { log } = mutated;
        const table = scanned(log);
        let at = 0;
        for (let row = 0; row < table.rows; row++) {
          expect(table.offsets[row]).toBe(at);
          at += table.length(row);
          expect(at).toBeGreaterThan(table.offsets[row]!);
        }
        expect(at).toBe(log.length);
        const { damagedBytes, liveBytes, supersededBytes, deadBytes } = table.totals();
        expect(damagedBytes + liveBytes + supersededBytes + deadBytes).toBe(log.length);

        const listed = new Set(
          [...table.possible.values()].flatMap((list) => list.first()).map((record) => record.offset),
        );
        for (const { offset, length, id, kind } of mutated.untouched()) {
          const row = table.rowStartingAt(offset);
          if (row >= 0 && table.verdict(row) === 'ok') {
            expect([table.kind(row), table.id(row), table.length(row)]).toEqual([kind, id, length]);
            found++;
            continue;
          }
          // The ghost rule alone may keep an intact record back: inside a damaged one that ends on a record or the end.
          expect(listed.has(offset), `record ${id} at ${offset}`).toBe(true);
          const around = table.rowAt(offset);
          if (table.kind(around) !== 'gap') {
            expect(table.verdict(around)).toBe('crc-mismatch');
            const end = table.offsets[around]! + table.length(around);
            expect(end === log.length || table.rowStartingAt(end) >= 0).toBe(true);
          }
          possible++;
        }

        for (let row = 0; row < table.rows; row++) {
          const bytes = log.subarray(table.offsets[row]!, table.offsets[row]! + table.length(row));
          if (table.verdict(row) === 'ok') expect(mutated.isOriginal(bytes)).toBe(true);
          if (table.isLegacy(row) && table.verdict(row) === 'unprotected' && table.kind(row) === 'store') {
            expect(() =>
              JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(13))),
            ).not.toThrow();
          }
        }

        for (const generation of GENERATIONS) {
          const result = runToEnd(
            replay({ source: new MemorySource(log), crc32: packageCrc32, generation, snapshot: null }),
          );
          let answer = result.ok ? '' : `${result.kind}: ${result.message}`;
          if (result.ok) {
            const entries: [string, number][] = [];
            result.index.forEach((low, high, offset) => {
              entries.push([String(joinU64(low, high)), offset]);
            });
            answer = JSON.stringify(entries.sort());
          }
          expect(answer).toBe(plainReplay(log, generation));
        }
      }),
      parameters,
    );
    console.log(`mutated logs: ${found} untouched records found, ${possible} possible under the ghost rule`);
    expect(found).toBeGreaterThan(runs);
    expect(possible).toBeLessThan(found / 100);
  });

  it('look the same whether scanned at once or from a prefix on', { timeout: 300_000 }, () => {
    fc.assert(
      fc.property(damagedLog, fc.array(fc.nat(), { minLength: 1, maxLength: 3 }), ({ log }, cuts) => {
        const whole = scanned(log);
        const sizes = [...cuts.map((cut) => cut % (log.length + 1)).sort((a, b) => a - b), log.length];
        const table = scanned(log.subarray(0, sizes[0]));
        for (const size of sizes.slice(1)) {
          table.truncate(rowToRescanFrom(table, size));
          runToEnd(scan({ source: new MemorySource(log.subarray(0, size)), crc32: packageCrc32, table }));
          table.link();
        }
        expect(lines(table)).toEqual(lines(whole));
        expect(possibleOf(table)).toEqual(possibleOf(whole));
        expect(table.totals()).toEqual(whole.totals());
        for (let row = 0; row < whole.rows; row++) expect(table.state(row)).toBe(whole.state(row));
      }),
      parameters,
    );
  });

  it('come from a generator that damages them in every way it names', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(mutations, (changes) => {
        for (const { kind } of changes) seen.add(kind);
      }),
      { ...parameters, path: undefined, numRuns: 300 },
    );
    expect([...seen].sort()).toEqual([...appliedMutations].sort());
  });
});

describe('what the generator knows', () => {
  it('is which records no change has touched, wherever they moved', () => {
    const original = new LogBuilder().store(1).delete(2).store(3);
    const records = { pieces: original.pieces, offsets: original.offsets };
    const inserted = mutate(records, [{ kind: 'insert', at: 30, bytes: text('xyz') }]);
    expect(inserted.untouched()).toEqual([
      { offset: 0, length: 25, id: 1n, kind: 'store' },
      { offset: 41, length: 25, id: 3n, kind: 'store' },
    ]);
    const spliced = mutate(records, [{ kind: 'splice', at: 0, from: 25, length: 13 }]);
    expect(spliced.untouched().map(({ offset }) => offset)).toEqual([0, 13, 38, 51]);
  });
});

function possibleOf(table: RecordTable) {
  return [...table.possible].map(([row, list]) => [row, list.first()]);
}
