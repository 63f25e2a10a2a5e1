import { afterEach, expect, test } from 'vitest';
import { LogBuilder } from '../../core/log-builder.fixture.ts';
import type { OpenFile } from './files.ts';
import { LogCrew } from './log-crew.ts';
import { logPasses } from './log-pass.fixture.ts';
import { LogThread } from './log-threads.ts';

const passes = logPasses();
const log = new LogBuilder().store(1).store(2).delete(1).bytes();
const PARTS = 5;

afterEach(() => LogThread.endIdle());

/** A pass of a few parts, each of them the whole log; what is left it notes and gives to nobody. */
function pass(file: OpenFile, workerUrl: () => URL, workers = 3) {
  let next = 0;
  const taken: number[] = [];
  const left: number[] = [];
  const crew = new LogCrew({
    give(thread) {
      if (next === PARTS || thread.busy.size > 0) return;
      const sizes = { from: 0, to: log.length, size: log.length };
      thread.give({ type: 'scan', part: next++, ...sizes, buffer: new ArrayBuffer(1 << 12) });
    },
    take: ({ part }) => taken.push(part),
    leave: (parts) => left.push(...parts),
  });
  crew.start({ file, workers, workerUrl });
  return { crew, taken, left, given: () => next };
}

test('threads are given parts until there are none, and each answer is news', async () => {
  await passes.open(log, async (file) => {
    const { crew, taken, left } = pass(file, passes.workerUrl);
    expect(crew.size).toBe(2);
    while (taken.length < PARTS) await crew.news();
    expect([...taken].sort()).toEqual([0, 1, 2, 3, 4]);
    expect(left).toEqual([]);
    crew.close();
    expect(crew.size).toBe(0);
  });
});

test('whoever waits for news hears of lost threads and of the end, and what a lost one was at is left', async () => {
  const [unbuilt, missing, throws] = passes.broken();
  await passes.open(log, async (file) => {
    expect(pass(file, unbuilt!).crew.size).toBe(0);
    const absent = pass(file, missing!);
    while (absent.crew.size > 0) await absent.crew.news();
    expect(absent.given()).toBe(0);
    const { crew, taken, left } = pass(file, throws!);
    while (crew.size > 0) await crew.news();
    expect([[...left].sort(), taken]).toEqual([[0, 1], []]);
    expect(crew.isAt(0)).toBe(false);
    const end = crew.news();
    crew.close();
    await end;
  });
});

test('a pass that is alone, or whose file no thread can open, has no crew', async () => {
  await passes.open(log, (file) => {
    expect(pass(file, passes.workerUrl, 1).crew.size).toBe(0);
    const crew = new LogCrew({ give: () => {}, take: () => {}, leave: () => {} });
    crew.start({ file: null, workers: 4, workerUrl: passes.workerUrl });
    expect(crew.size).toBe(0);
  });
});
