import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MemorySource } from '../../core/byte-source.ts';
import { blockWalkerFor } from '../../core/fast-scan.ts';
import { findRun, PartColumns, scanPart } from '../../core/fast-scan-part.ts';
import { LogBuilder } from '../../core/log-builder.fixture.ts';
import { RecordTable } from '../../core/record-table.ts';
import { scan } from '../../core/scan.ts';
import { runToEnd } from '../../core/steps.ts';
import { crc32 } from './crc32.ts';
import { FileSource } from './file-source.ts';
import { logPasses } from './log-pass.fixture.ts';
import { type ScanFileOptions, scanFile } from './parallel-scan.ts';

const passes = logPasses();

/** Everything a scan found out, comparable. */
function contentOf(table: RecordTable): unknown {
  return {
    end: table.end,
    segments: Array.from({ length: table.rows }, (_, row) => ({ ...table.segment(row), state: table.state(row) })),
    previous: Array.from(table.previous.subarray(0, table.rows)),
    possible: [...table.possible].map(([row, list]) => [row, list.first()]),
    claimedEnds: [...table.claimedEnds],
    ids: table.ids,
  };
}

function alone(bytes: Uint8Array): RecordTable {
  const table = runToEnd(scan({ source: new MemorySource(bytes), crc32, fast: false }));
  table.link();
  return table;
}

/** The same with threads; also how many parts they walked. */
function shared(bytes: Uint8Array, options: Partial<ScanFileOptions>): Promise<[RecordTable, number]> {
  return passes.open(bytes, async (file) => {
    const table = new RecordTable();
    const threads = { file, workers: 3, workerUrl: passes.workerUrl, waitForThreads: true };
    const received = await scanFile({ source: new FileSource(file), table, ...threads, ...options });
    return [table, received];
  });
}

const together = async (bytes: Uint8Array, options: Partial<ScanFileOptions>) => (await shared(bytes, options))[0];

const id = fc.oneof(fc.bigInt(0n, 9n), fc.bigInt(0n, 0xffff_ffff_ffff_ffffn));
const entry = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('store'), id, size: fc.nat(200) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('store'), id, size: fc.nat(20_000) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete'), id, size: fc.constant(0) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('legacy'), id, size: fc.nat(200) }) },
  // A record inside a payload: what a search may take for one.
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('nested'), id, size: fc.nat(2000) }) },
);
const damage = fc.record({ at: fc.nat(), bytes: fc.uint8Array({ maxLength: 60 }) });

function build(entries: { kind: string; id: bigint; size: number }[]): Uint8Array {
  const log = new LogBuilder();
  for (const { kind, id, size } of entries) {
    const text = JSON.stringify({ text: 'x'.repeat(size) });
    if (kind === 'store') log.store(id, text);
    else if (kind === 'delete') log.delete(id);
    else if (kind === 'legacy') log.legacyStore(id, text);
    else log.store(id, new LogBuilder().store(id, text).delete(id).bytes());
  }
  return log.bytes();
}

function damaged(bytes: Uint8Array, patches: { at: number; bytes: Uint8Array }[], cut: number): Uint8Array {
  for (const patch of patches) {
    if (bytes.length > patch.bytes.length) bytes.set(patch.bytes, patch.at % (bytes.length - patch.bytes.length));
  }
  return bytes.subarray(0, Math.max(0, bytes.length - cut));
}

test('a scan in parts by several threads finds what a scan alone finds, in any log and for any size of part', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(entry, { minLength: 20, maxLength: 120 }),
      fc.array(damage, { maxLength: 3 }),
      fc.nat(40),
      fc.integer({ min: 200, max: 8000 }),
      async (entries, patches, cut, partSize) => {
        const bytes = damaged(build(entries), patches, cut);
        expect(contentOf(await together(bytes, { partSize }))).toEqual(contentOf(alone(bytes)));
      },
    ),
    { numRuns: 40 },
  );
}, 120_000);

test('the threads do take part once there is enough to do, and damage in the middle changes nothing', async () => {
  const log = new LogBuilder();
  const payload = JSON.stringify({ text: 'x'.repeat(3000) });
  for (let at = 0; at < 12_000; at++) log.store(at % 9000, payload);
  const bytes = log.bytes();
  for (const at of [0.3, 0.31, 0.7, 0.999])
    bytes.fill(0xc3, Math.floor(bytes.length * at), Math.floor(bytes.length * at) + 40);
  const [table, received] = await shared(bytes, { partSize: 200_000 });
  expect(received).toBeGreaterThan(0);
  expect(contentOf(table)).toEqual(contentOf(alone(bytes)));
});

test('where a part of a log has a record at a position of the whole scan, both go on alike', () => {
  const walker = blockWalkerFor(crc32)!;
  const columns = new PartColumns(new ArrayBuffer(0));
  fc.assert(
    fc.property(
      fc.array(entry, { minLength: 1, maxLength: 60 }),
      fc.array(damage, { maxLength: 3 }),
      fc.nat(),
      fc.nat(),
      (entries, patches, start, length) => {
        const bytes = damaged(build(entries), patches, 0);
        const from = start % (bytes.length + 1);
        const to = Math.min(bytes.length, from + (length % (bytes.length + 1)));
        const part = scanPart({
          read: (into, at, count, position) => {
            const piece = bytes.subarray(position, position + count);
            into.set(piece, at);
            return piece.length;
          },
          size: bytes.length,
          from,
          to,
          synchronised: false,
          walker,
          crc32,
          columns,
        });
        const whole = alone(bytes);
        let met = 0;
        for (let row = 0; row < whole.rows; row++) {
          const run = findRun(part, whole.offsets[row]!);
          const starts = whole.offsets[row]! >= from && whole.offsets[row]! < to;
          if (!run) continue;
          met++;
          expect(starts).toBe(true);
          for (let at = run.row; at < run.to; at++) {
            const same = whole.rowStartingAt(part.columns.offsets[at]!);
            expect(same).toBe(row + at - run.row);
            expect(whole.verdict(same)).toBe('ok');
            expect([part.columns.idLow[at], part.columns.idHigh[at]]).toEqual([whole.idLow[same], whole.idHigh[same]]);
          }
          expect(whole.rowStartingAt(run.end) >= 0 || run.end === bytes.length).toBe(true);
        }
        if (patches.length === 0 && from === 0 && to === bytes.length && entries.every((one) => one.kind === 'store')) {
          expect(met).toBe(whole.rows);
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('records longer than a block and longer than a part are taken in once', async () => {
  const log = new LogBuilder();
  for (let at = 0; at < 12; at++) log.store(at, `"${'x'.repeat(at % 3 === 0 ? 700_000 : 1000)}"`);
  const table = await together(log.bytes(), { partSize: 100_000 });
  expect(Array.from(table.offsets.subarray(0, table.rows))).toEqual(log.offsets);
  expect(table.ids).toBe(12);
});

test('threads that cannot be started, or break, cost time only', async () => {
  const log = new LogBuilder();
  for (let at = 0; at < 2000; at++) log.store(at % 700, `{"at":${at}}`);
  const expected = contentOf(alone(log.bytes()));
  for (const workerUrl of passes.broken()) {
    expect(contentOf(await together(log.bytes(), { partSize: 5000, workerUrl }))).toEqual(expected);
  }
});

test('a scan that is cancelled ends with CANCELLED and can go on where it stood', async () => {
  const log = new LogBuilder();
  for (let at = 0; at < 20_000; at++) log.store(at, `{"at":${at}}`);
  const bytes = log.bytes();
  const table = new RecordTable();
  const controller = new AbortController();
  controller.abort();
  const options = { table, partSize: 20_000, waitForThreads: false };
  await expect(together(bytes, { ...options, signal: controller.signal })).rejects.toMatchObject({ code: 'CANCELLED' });
  await together(bytes, options);
  expect(contentOf(table)).toEqual(contentOf(alone(bytes)));
});
