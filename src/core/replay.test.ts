import { describe, expect, it } from 'vitest';
import { MemorySource } from './byte-source.ts';
import { GENERATIONS, POLICIES } from './generation.ts';
import { goldenCases, goldenPresent } from './golden.fixture.ts';
import { canonicalize } from './json/canonicalize.ts';
import { packageCrc32 } from './log-builder.fixture.ts';
import { RecordTable } from './record-table.ts';
import { replay } from './replay.ts';
import { retrieve } from './retrieve.ts';
import { scan } from './scan.ts';
import { parseSnapshot } from './snapshot.ts';
import { runToEnd } from './steps.ts';
import { joinU64 } from './u64.ts';

describe.skipIf(!goldenPresent)('golden cases', () => {
  for (const golden of goldenCases()) {
    for (const generation of GENERATIONS) {
      it(`${golden.name} opens as ${generation} did`, () => {
        const source = new MemorySource(golden.log);
        const parsed = golden.snapshot ? parseSnapshot(golden.snapshot, packageCrc32) : null;
        const snapshot = parsed?.ok ? parsed.snapshot : null;
        const result = runToEnd(replay({ source, crc32: packageCrc32, generation, snapshot }));
        const { replay: expected, dump } = golden.answers[generation];
        if (!expected.ok) {
          expect(result).toMatchObject({
            ok: false,
            kind: expected.kind,
            message: expected.message,
            usedSnapshot: expected.used_snapshot,
          });
          return;
        }
        if (!result.ok) throw new Error(`refused: ${result.message}`);
        const index: [bigint, bigint][] = [];
        result.index.forEach((low, high, _offset, slot) => {
          index.push([joinU64(low, high), result.index.offset64At(slot)]);
        });
        index.sort(([a], [b]) => (a < b ? -1 : 1));
        expect(index.map(([id, offset]) => [String(id), String(offset)])).toEqual(expected.index);
        expect(result.usedSnapshot).toBe(expected.used_snapshot);
        expect(result.lastSnapshotWalPosition).toBe(BigInt(expected.last_snapshot_wal_pos));
        const answers = index.map(([id, offset]) => {
          const read = retrieve(source, offset, generation);
          if (!read.ok) return { id: String(id), error: read.error };
          // The engines print what they have read; the text itself is what this project keeps.
          const printed = canonicalize(read.payload, POLICIES[generation].jsonReader);
          return { id: String(id), payload_text: printed.ok ? new TextDecoder().decode(printed.bytes) : printed.check };
        });
        expect(answers).toEqual(dump);
      });
    }
    it(`${golden.name} is tiled by its segments`, () => {
      const table = runToEnd(scan({ source: new MemorySource(golden.log), crc32: packageCrc32 }));
      let at = 0;
      for (let row = 0; row < table.rows; row++) {
        expect(table.offsets[row]).toBe(at);
        expect(table.length(row)).toBeGreaterThan(0);
        at += table.length(row);
      }
      expect(at).toBe(golden.log.length);
      expect(table).toBeInstanceOf(RecordTable);
    });
  }
});
