import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemorySource } from './byte-source.ts';
import { GENERATIONS } from './generation.ts';
import { IdIndex } from './id-index.ts';
import { packageCrc32 } from './log-builder.fixture.ts';
import { mutate, mutations, originalLog } from './mutated-log.fixture.ts';
import { replay } from './replay.ts';
import { type PathAt, ReplayPaths } from './replay-path.ts';
import { scan } from './scan.ts';
import { encodeSnapshot, parseSnapshot, type Snapshot } from './snapshot.ts';
import { runToEnd } from './steps.ts';

const seed = Number(process.env.VELESCOPE_SEED ?? (Math.random() * 0x7fff_ffff) | 0);
const runs = Number(process.env.VELESCOPE_RUNS ?? 1000);
console.log(`replay paths: VELESCOPE_SEED=${seed} VELESCOPE_RUNS=${runs}`);

/** An empty snapshot at a position: replay starts there. */
function snapshotAt(position: number): Snapshot {
  const parsed = parseSnapshot(encodeSnapshot(position, new IdIndex(), packageCrc32), packageCrc32);
  if (!parsed.ok) throw new Error(parsed.error.message);
  return parsed.snapshot;
}

describe('ReplayPaths', () => {
  it('ends every generation where its replay ends, with the same error, on any damaged log', () => {
    const log = fc.tuple(originalLog, mutations).map(([original, changes]) => mutate(original, changes).log);
    const place = fc.option(fc.double({ min: 0, max: 1, noNaN: true }));
    fc.assert(
      fc.property(log, place, (bytes, position) => {
        const source = new MemorySource(bytes);
        const table = runToEnd(scan({ source, crc32: packageCrc32 }));
        table.link();
        const boundary = position === null ? -1 : Math.floor(position * table.rows);
        const start = boundary < 0 ? 0 : boundary < table.rows ? table.offsets[boundary]! : bytes.length;
        const snapshot = boundary < 0 ? null : snapshotAt(start);
        const paths = runToEnd(ReplayPaths.of(source, table, snapshot));
        for (const generation of GENERATIONS) {
          const result = runToEnd(replay({ source, crc32: packageCrc32, generation, snapshot }));
          let ended: PathAt | null = null;
          for (let row = 0; row < table.rows && ended === null; row++) {
            const path = paths.at(generation, row);
            if (path.kind === 'refuses' || path.kind === 'stops') ended = path;
            if (table.offsets[row]! + table.length(row) <= start) expect(path.kind).toBe('before-snapshot');
          }
          if (!result.ok) {
            const error = { kind: result.kind, message: result.message };
            expect(ended).toEqual({ kind: 'refuses', at: result.endedAt, error });
          } else if (result.endedAt < bytes.length) expect(ended).toEqual({ kind: 'stops', at: result.endedAt });
          else expect(ended).toBeNull();
        }
      }),
      { seed, numRuns: runs },
    );
  });
});
