import { readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { LogBuilder } from '../../core/log-builder.fixture.ts';
import { logPasses } from './log-pass.fixture.ts';
import { LogThread, type LogThreadUser, type PartResponse } from './log-threads.ts';
import { nodeFiles } from './node-files.ts';
import { workerFileOf } from './worker-file.ts';

const bytes = new LogBuilder().store(1).store(2).delete(1).bytes();
const passes = logPasses();
const { path } = passes;
let program: URL;

beforeAll(() => {
  writeFileSync(path(), bytes);
  program = passes.workerUrl();
});

afterEach(() => LogThread.endIdle());

function named() {
  const file = nodeFiles.open(path(), 'read');
  const name = workerFileOf(file);
  file.close();
  return name;
}

/** Notes what a thread says. */
function user() {
  const responses: PartResponse[] = [];
  let lost = 0;
  const noted: LogThreadUser = {
    onIdle: () => {},
    onResponse: (_, response) => responses.push(response),
    onLost: () => lost++,
  };
  return { ...noted, responses, lost: () => lost };
}

const scanAll = (part: number) => ({
  type: 'scan' as const,
  part,
  from: 0,
  to: bytes.length,
  size: bytes.length,
  buffer: new ArrayBuffer(1 << 12),
});

test('a thread that was released serves the next pass, and only that one hears of it', async () => {
  const [first, second] = [user(), user()];
  const [thread] = LogThread.take(1, program, named(), first);
  await thread!.loaded;
  thread!.give(scanAll(0));
  await expect.poll(() => first.responses.length).toBe(1);
  expect(first.responses[0]).toMatchObject({ type: 'scan', part: 0, rows: 3 });
  thread!.release();
  const again = LogThread.take(1, program, named(), second);
  expect(again[0]).toBe(thread);
  expect(thread!.ready).toBe(true);
  thread!.give(scanAll(7));
  await expect.poll(() => second.responses.length).toBe(1);
  expect(first.responses.length).toBe(1);
  thread!.release();
});

test('a thread that is released at work is ended, and the next pass gets another', async () => {
  const [thread] = LogThread.take(1, program, named(), user());
  await thread!.loaded;
  thread!.give(scanAll(0));
  thread!.release();
  const [other] = LogThread.take(1, program, named(), user());
  expect(other).not.toBe(thread);
  await other!.loaded;
  other!.release();
});

test('a thread is lost that cannot open the file meant', async () => {
  const noted = user();
  const [thread] = LogThread.take(1, program, { ...named(), inode: 1n }, noted);
  await expect.poll(noted.lost).toBe(1);
  await thread!.loaded;
  expect(noted.responses).toEqual([]);
});

test('an idle thread has no file open', async ({ skip }) => {
  const open = () => {
    try {
      return readdirSync('/proc/self/fd').filter((descriptor) => {
        try {
          return readlinkSync(`/proc/self/fd/${descriptor}`) === path();
        } catch {
          return false;
        }
      }).length;
    } catch {
      return null;
    }
  };
  if (open() === null) skip('this system does not list open files');
  const [thread] = LogThread.take(1, program, named(), user());
  await expect.poll(open).toBe(1);
  await thread!.loaded;
  thread!.release();
  await expect.poll(open).toBe(0);
});
