import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll } from 'vitest';
import { bundle } from './bundle.fixture.ts';
import type { OpenFile } from './files.ts';
import { LogThread } from './log-threads.ts';
import { nodeFiles } from './node-files.ts';

/** A directory for the logs of a test file's passes, and the program their threads run, for as long as its tests run. */
export function logPasses() {
  let directory = '';
  let program = '';
  let remove = () => {};
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'velescope-pass-'));
    const worker = await bundle('src/main/engine/log-worker.ts');
    program = worker.program;
    remove = worker.remove;
  });
  afterAll(() => {
    LogThread.endIdle();
    rmSync(directory, { recursive: true, force: true });
    remove();
  });
  const urlOf = (name: string) => pathToFileURL(join(directory, name));
  return {
    /** The program the threads run. */
    workerUrl: () => pathToFileURL(program),
    path: (name = 'payloads.log') => join(directory, name),
    /** A program that is not there. */
    missing: () => urlOf('missing.mjs'),
    /** Programs of threads that never start, or break when they are given something to do. */
    broken(): (() => URL)[] {
      const text = `import { parentPort } from 'node:worker_threads';
        parentPort.on('message', ({ type }) => { if (type !== 'open') END; });
        parentPort.postMessage({ type: 'ready' });`;
      writeFileSync(join(directory, 'throws.mjs'), text.replace('END', `throw new Error('broken')`));
      writeFileSync(join(directory, 'exits.mjs'), text.replace('END', 'process.exit(1)'));
      const unbuilt = () => {
        throw new Error('not built');
      };
      return [unbuilt, () => urlOf('missing.mjs'), () => urlOf('throws.mjs'), () => urlOf('exits.mjs')];
    },
    /** Writes a log and does something with it while it is open. */
    async open<Result>(bytes: Uint8Array, work: (file: OpenFile) => Result | Promise<Result>): Promise<Result> {
      const path = join(directory, 'payloads.log');
      writeFileSync(path, bytes);
      const file = nodeFiles.open(path, 'read');
      try {
        return await work(file);
      } finally {
        file.close();
      }
    },
  };
}
