import { rmSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemorySource } from '../../core/byte-source.ts';
import { LogBuilder } from '../../core/log-builder.fixture.ts';
import { mutate, mutations } from '../../core/mutated-log.fixture.ts';
import { checkPayloads } from '../../core/payload-check.ts';
import type { RecordTable } from '../../core/record-table.ts';
import { scan } from '../../core/scan.ts';
import { runToEnd } from '../../core/steps.ts';
import { crc32 } from './crc32.ts';
import { FileSource } from './file-source.ts';
import { logPasses } from './log-pass.fixture.ts';
import { nodeFiles } from './node-files.ts';
import { type CheckFileOptions, checkFile } from './parallel-check.ts';

const passes = logPasses();

function scanned(log: Uint8Array): RecordTable {
  const table = runToEnd(scan({ source: new MemorySource(log), crc32 }));
  table.link();
  return table;
}

/** Everything the check says. */
function saidOf(table: RecordTable, { checked, notJson, unreadable }: Record<string, unknown>): unknown {
  return {
    checked,
    notJson,
    unreadable,
    verdicts: Array.from({ length: table.rows }, (_, row) => table.verdict(row)),
    readersDisagree: [...table.readersDisagree],
  };
}

function alone(log: Uint8Array, fromRow = 0): unknown {
  const table = scanned(log);
  return saidOf(table, { ...runToEnd(checkPayloads({ source: new MemorySource(log), table, fromRow })) });
}

/** The same with threads; also how many parts they checked. */
function together(log: Uint8Array, options: Partial<CheckFileOptions>): Promise<[unknown, number]> {
  return passes.open(log, async (file) => {
    const table = scanned(log);
    const threads = { file, workers: 3, workerUrl: passes.workerUrl, waitForThreads: true };
    const result = await checkFile({ source: new FileSource(file), table, ...threads, ...options });
    return [saidOf(table, { ...result }), result.received];
  });
}

const payload = fc.oneof(
  { weight: 4, arbitrary: fc.json({ maxDepth: 2 }) },
  { weight: 1, arbitrary: fc.string() },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      '',
      '{"a":1,}',
      '1e999',
      '"\\ud800"',
      '179769313486231581e291',
      '1.7976931348623158e308',
      `${'['.repeat(128)}${']'.repeat(128)}`,
      '"\u{1f600} \\u00e9"',
    ),
  },
);
const record = fc.record({
  kind: fc.constantFrom('store', 'store', 'store', 'delete', 'legacyStore', 'legacyDelete'),
  id: fc.nat(9),
  payload,
});
const logs = fc
  .tuple(fc.array(record, { minLength: 5, maxLength: 80, size: 'max' }), fc.oneof(fc.constant([]), mutations))
  .map(([records, changes]) => {
    const log = new LogBuilder();
    for (const { kind, id, payload: text } of records) {
      if (kind === 'store') log.store(id, text);
      else if (kind === 'legacyStore') log.legacyStore(id, text);
      else if (kind === 'delete') log.delete(id);
      else log.legacyDelete(id);
    }
    return mutate({ pieces: log.pieces, offsets: log.offsets }, changes).log;
  });

const seed = Date.now() & 0x7fff_ffff;
console.info(`parallel-check.test.ts: seed ${seed}`);

describe('checkFile', () => {
  it('gives the verdicts of one thread with any number of them, for any log and any size of part', async () => {
    await fc.assert(
      fc.asyncProperty(
        logs,
        fc.integer({ min: 30, max: 2000 }),
        fc.integer({ min: 1, max: 4 }),
        fc.nat(5),
        async (log, partSize, workers, fromRow) => {
          const [said] = await together(log, { partSize, workers, fromRow });
          expect(said).toEqual(alone(log, fromRow));
        },
      ),
      { seed, numRuns: 60 },
    );
  }, 120_000);

  it('has the threads do a part of the work on a long log, whatever is in it', async () => {
    const log = new LogBuilder();
    // White space behind the text makes the log long without many rows.
    const padding = ' '.repeat(2000);
    for (const [at, text] of fc.sample(payload, { seed, numRuns: 20_000 }).entries()) {
      if (at % 50 === 7) log.delete(at);
      else if (at % 50 === 9) log.legacyStore(at, `{}${padding}`);
      else log.store(at, `${text}${padding}`);
    }
    const bytes = log.bytes();
    for (const at of [0.3, 0.31, 0.7, 0.999])
      bytes.fill(0xc3, Math.floor(bytes.length * at), Math.floor(bytes.length * at) + 40);
    const expected = alone(bytes);
    for (const workers of [2, 4]) {
      const [said, received] = await together(bytes, { workers, partSize: 100_000 });
      expect(said).toEqual(expected);
      expect(received).toBeGreaterThan(0);
    }
  }, 60_000);

  it('leaves payloads that take long to judge to other threads, and does them itself where there are none', async () => {
    const long = `["${'x'.repeat(17 << 20)}", 1]`;
    const log = new LogBuilder().store(1, 'no json').store(2, long).store(3, `${long},`).store(4, 'no json').bytes();
    const expected = alone(log);
    const [said, received] = await together(log, {});
    expect(said).toEqual(expected);
    expect(received).toBeGreaterThanOrEqual(2);
    expect(await together(log, { workerUrl: passes.missing })).toEqual([expected, 0]);
    expect(await together(log, { workers: 1 })).toEqual([expected, 0]);
  }, 60_000);

  it('starts no threads for a short log', async () => {
    let asked = 0;
    const url = () => {
      asked++;
      return passes.workerUrl();
    };
    const [said, received] = await together(new LogBuilder().store(1).store(2, 'no').bytes(), { workerUrl: url });
    expect(said).toMatchObject({ verdicts: ['ok', 'payload-not-json'] });
    expect([received, asked]).toEqual([0, 0]);
  });

  it('checks alone where threads cannot be started, break, or would read another file', async () => {
    const log = new LogBuilder();
    for (let id = 0; id < 400; id++) log.store(id, id % 5 === 0 ? 'no json' : '{"a":1}');
    const bytes = log.bytes();
    const expected = alone(bytes);
    for (const workerUrl of passes.broken())
      expect((await together(bytes, { partSize: 500, workerUrl }))[0]).toEqual(expected);
    const path = passes.path('other.log');
    writeFileSync(path, bytes);
    const table = scanned(bytes);
    const file = nodeFiles.open(path, 'read');
    rmSync(path);
    writeFileSync(path, new Uint8Array(bytes.length));
    const options = { source: new FileSource(file), table, file, workers: 3, partSize: 500 };
    const result = await checkFile({ ...options, workerUrl: passes.workerUrl });
    file.close();
    expect(result.received).toBe(0);
    expect(saidOf(table, { ...result })).toEqual(expected);
  }, 60_000);

  it('stops when it is cancelled, and says how far it has come', async () => {
    const log = new LogBuilder();
    // White space sends it to the slower check: the fast one might be through before anybody could cancel.
    const text = JSON.stringify({ text: 'x'.repeat(100_000) }, null, 1);
    for (let id = 0; id < 300; id++) log.store(id, text);
    const bytes = log.bytes();
    const controller = new AbortController();
    const seen: number[] = [];
    const onProgress = ({ done }: { done: number }) => {
      seen.push(done);
      controller.abort();
    };
    // One thread: several might be through before this one says for the first time how far it is.
    const options = { partSize: 200_000, workers: 1, signal: controller.signal, onProgress };
    await expect(together(bytes, options)).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(seen).toHaveLength(1);
    expect(seen[0]).toBeLessThan(bytes.length);
    const stop = new AbortController();
    const cancelled = together(bytes, { partSize: 200_000, signal: stop.signal });
    stop.abort();
    await expect(cancelled).rejects.toMatchObject({ code: 'CANCELLED' });
    const whole: number[] = [];
    await together(bytes, { partSize: 200_000, onProgress: ({ done }) => void whole.push(done) });
    expect(whole).toEqual([...whole].sort((a, b) => a - b));
    expect(whole.at(-1)).toBe(bytes.length);
  }, 60_000);

  it('refuses to judge a log that was changed under it', async () => {
    const bytes = new LogBuilder().store(1, '{"a":1}').store(2, '{"b":1}').bytes();
    await passes.open(new Uint8Array(bytes.length), async (file) => {
      const options = { source: new FileSource(file), table: scanned(bytes), file, workers: 1 };
      await expect(checkFile({ ...options, workerUrl: passes.workerUrl })).rejects.toThrow('cut or changed');
    });
  });
});
