import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LogBuilder } from '../core/log-builder.fixture.ts';
import type { Files } from '../main/engine/files.ts';
import { nodeFiles } from '../main/engine/node-files.ts';
import { workerUrl } from '../main/services/worker-url.ts';
import { runHere } from './run.fixture.ts';

const built = (() => {
  try {
    return workerUrl('log') !== null;
  } catch {
    return false;
  }
})();
if (!built) console.warn('SKIPPED: commands that scan in several threads (npm run build makes the workers)');

/** The same files under another name: other threads are not let at them. */
const oneThread: Files = { ...nodeFiles };

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'velescope-threads-'));
  mkdirSync(join(directory, 'long'));
  // Longer than what threads are started for, with damage in the middle.
  const log = new LogBuilder();
  const text = 'x'.repeat(4000);
  for (let id = 0; id < 7000; id++) {
    if (id % 1000 === 500) log.delete(id - 1);
    log.store(id % 6500, `{"id":${id},"text":"${text}"}`);
  }
  const bytes = log.bytes();
  for (const record of [1200, 3500, 3501, 6000]) bytes[log.offsets[record]! + 20]! ^= 1;
  bytes.fill(0x99, log.offsets[4000]!, log.offsets[4000]! + 13);
  writeFileSync(join(directory, 'long', 'payloads.log'), bytes);
});
afterAll(() => rmSync(directory, { recursive: true }));

describe.skipIf(!built)('commands on a log that is worth several threads', () => {
  for (const words of [
    ['verify', '--framing', '--segments', '--ids', '--json'],
    ['verify', '--ids', '--json'],
    ['dump', '--as', 'salvage'],
  ]) {
    it(`${words.join(' ')} says the same with one thread and with several`, async () => {
      const [command, ...options] = words as [string, ...string[]];
      const line = [command, join(directory, 'long'), ...options];
      const alone = await runHere(line, { files: oneThread });
      const together = await runHere(line);
      expect(together.status).toBe(alone.status);
      expect(alone.stdout.length).toBeGreaterThan(1000);
      expect(together.stdout === alone.stdout).toBe(true);
    });
  }

  it('history says the same with one thread and with several', async () => {
    const line = ['history', join(directory, 'long'), '12', '--json'];
    const alone = await runHere(line, { files: oneThread });
    expect(alone.lines).toHaveLength(2);
    expect(await runHere(line)).toMatchObject({ status: alone.status, stdout: alone.stdout });
  });
});
