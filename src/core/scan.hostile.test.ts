import { describe, expect, it } from 'vitest';
import { type ByteSource, MemorySource } from './byte-source.ts';
import { hostileLogs } from './hostile.fixture.ts';
import { packageCrc32 } from './log-builder.fixture.ts';
import type { RecordTable } from './record-table.ts';
import { scan } from './scan.ts';
import { runToEnd } from './steps.ts';

/** What a scan asked of its surroundings: what would cost time, counted instead of timed. */
interface Work {
  reads: number;
  bytesRead: number;
  bytesHashed: number;
  /** The most that was read and hashed between two yields. */
  longestStep: number;
}

function scanCounting(log: Uint8Array): { table: RecordTable; work: Work } {
  const work: Work = { reads: 0, bytesRead: 0, bytesHashed: 0, longestStep: 0 };
  const memory = new MemorySource(log);
  const source: ByteSource = {
    size: log.length,
    read(offset, length) {
      const bytes = memory.read(offset, length);
      work.reads++;
      work.bytesRead += bytes.length;
      return bytes;
    },
  };
  const crc32 = (bytes: Uint8Array, seed?: number) => {
    work.bytesHashed += bytes.length;
    return packageCrc32(bytes, seed);
  };
  const steps = scan({ source, crc32 });
  for (let before = 0; ; before = work.bytesRead + work.bytesHashed) {
    const step = steps.next();
    work.longestStep = Math.max(work.longestStep, work.bytesRead + work.bytesHashed - before);
    if (step.done) return { table: step.value, work };
  }
}

const MEGABYTE = 1 << 20;
/** What is hashed directly before checkpoints are laid down, and what windows read ahead: paid once, whatever the size. */
const ONCE = 24 * MEGABYTE;

describe('a scan of a log made to waste its time', () => {
  for (const [name, make] of Object.entries(hostileLogs)) {
    it(`does linear work and tiles the log: ${name}`, () => {
      const log = make(MEGABYTE);
      const { table, work } = scanCounting(log);
      const bound = log.length * Math.log2(log.length);
      expect(work.reads).toBeLessThan(2 * log.length);
      expect(work.bytesRead).toBeLessThan(ONCE + 3 * bound);
      expect(work.bytesHashed).toBeLessThan(ONCE + 2 * bound);
      expect(work.longestStep).toBeLessThan(ONCE);
      // Every row stands for at least a delete's nine bytes, but for pieces of a gap; lists stay within the rows' own measure.
      let possible = 0;
      for (const list of table.possible.values()) possible += list.length;
      expect(table.rows + possible).toBeLessThan(log.length / 8);
      let at = 0;
      for (let row = 0; row < table.rows; row++) {
        if (table.offsets[row] !== at) expect(table.offsets[row]).toBe(at);
        at += table.length(row);
      }
      expect(at).toBe(log.length);
    });
  }

  it('does no more work per byte on four times the log', () => {
    for (const [name, make] of Object.entries(hostileLogs)) {
      const small = scanCounting(make(MEGABYTE)).work;
      const large = scanCounting(make(4 * MEGABYTE)).work;
      // Reads of what a window of a megabyte holds are none, so the small log has fewer of them.
      expect(large.reads, `${name}: reads`).toBeLessThan(4 * 1.5 * small.reads + 2 * MEGABYTE);
      expect(large.bytesRead, `${name}: bytes read`).toBeLessThan(4 * 1.5 * small.bytesRead + ONCE);
      expect(large.bytesHashed, `${name}: bytes hashed`).toBeLessThan(4 * 1.5 * small.bytesHashed + ONCE);
    }
  });

  it('judges a position alike whether it comes there first or along a chain', () => {
    // Random markers make chains that meet, part and end in every way; each suffix is a scan that starts elsewhere.
    const log = hostileLogs['random markers and zeros']!(4096);
    const whole = scanCounting(log).table;
    for (let row = 0; row < whole.rows; row++) {
      if (whole.kind(row) === 'gap' || whole.foundBySearch(row)) continue;
      const from = whole.offsets[row]!;
      const rest = runToEnd(scan({ source: new MemorySource(log.slice(from)), crc32: packageCrc32 }));
      expect({ ...rest.segment(0), offset: from }).toEqual(whole.segment(row));
    }
  });
});
