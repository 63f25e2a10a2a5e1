import { EventEmitter, once } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { SessionHost } from './session-host.ts';
import { SessionThreads } from './session-threads.ts';

let threads: SessionThreads;
beforeEach(() => {
  threads = new SessionThreads();
});
afterEach(() => threads.close());

test('the thread that was loaded ahead is given once, and others are started when they are needed', async () => {
  threads.prepare();
  threads.prepare();
  const [first, second] = await Promise.all([threads.take(), threads.take()]);
  expect(first.threadId).not.toBe(second.threadId);
  for (const worker of [first, second]) {
    worker.postMessage({ type: 'close' });
    expect(await once(worker, 'message')).toEqual([{ type: 'closed' }]);
    await once(worker, 'exit');
  }
});

test('closing ends the thread that was kept', async () => {
  threads.prepare();
  await threads.close();
  const worker = await threads.take();
  expect(worker.threadId).toBeGreaterThan(0);
  await worker.terminate();
});

/** Threads that say something when the test has them do so. */
function quietThreads() {
  const started: EventEmitter[] = [];
  const make = () => {
    const worker = Object.assign(new EventEmitter(), { ref() {}, unref() {}, postMessage() {}, terminate() {} });
    started.push(worker);
    return worker as unknown as Worker;
  };
  return { started, threads: new SessionThreads(make) };
}
const turn = () => new Promise((resolve) => setImmediate(resolve));
const START = {
  session: 's',
  directory: '/data',
  collectionName: 'c',
  settingsDirectory: '/settings',
  readOnly: true,
  view: 'v3.12',
} as const;

test('of many sessions two start at a time, and the next one when one of them has answered or broken', async () => {
  const { started, threads } = quietThreads();
  const taken: Worker[] = [];
  for (let session = 0; session < 5; session++) void threads.take().then((worker) => taken.push(worker));
  await turn();
  expect([started.length, taken.length]).toEqual([2, 2]);
  started[0]!.emit('message', {});
  await turn();
  expect(started).toHaveLength(3);
  started[0]!.emit('message', {});
  await turn();
  expect(started).toHaveLength(3);
  started[1]!.emit('exit');
  started[2]!.once('error', () => {});
  started[2]!.emit('error', new Error('broken'));
  await turn();
  expect(taken).toHaveLength(5);
  await threads.close();
});

test('a thread that says nothing holds the others up for a while only', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const { started, threads } = quietThreads();
  for (let session = 0; session < 3; session++) void threads.take();
  await turn();
  expect(started).toHaveLength(2);
  vi.advanceTimersByTime(5_000);
  await turn();
  expect(started.length).toBeGreaterThanOrEqual(3);
  vi.useRealTimers();
  await threads.close();
});

test('a session that is closed before its turn starts no thread, and the next one gets its turn', async () => {
  const { started, threads } = quietThreads();
  const ended: string[] = [];
  const hosts = ['a', 'b', 'c', 'd'].map(
    (session) =>
      new SessionHost(
        { ...START, session },
        threads,
        () => {},
        () => ended.push(session),
      ),
  );
  await turn();
  await hosts[2]!.close();
  await expect(hosts[2]!.ready()).rejects.toMatchObject({ code: 'NO_SUCH_SESSION' });
  expect(ended).toEqual(['c']);
  started[0]!.emit('message', { type: 'started', summary: {} });
  await turn();
  expect(started).toHaveLength(3);
  started[2]!.emit('message', { type: 'started', summary: { session: 'd' } });
  expect(await hosts[3]!.ready()).toEqual({ session: 'd' });
  await threads.close();
});

const open = (threads: SessionThreads) =>
  new SessionHost(
    START,
    threads,
    () => {},
    () => {},
  );

test('a system that gives no thread is said as such, with what to do, and holds no other session up', async () => {
  let fails = true;
  const { threads: others } = quietThreads();
  const full = Object.assign(new Error('Worker initialization failure: EMFILE'), { code: 'ERR_WORKER_INIT_FAILED' });
  const threads = new SessionThreads(() => {
    if (fails) throw full;
    return others.start();
  });
  for (let session = 0; session < 4; session++) {
    await expect(open(threads).ready()).rejects.toMatchObject({
      code: 'OUT_OF_RESOURCES',
      next: expect.stringMatching(/limit/),
    });
  }
  fails = false;
  const taken = await threads.take();
  const host = open(threads);
  await turn();
  expect(taken).toBeDefined();
  await host.close();
  await threads.close();
});

test('a thread that breaks before it answers for want of files is said as such, for another reason not', async () => {
  const { started, threads } = quietThreads();
  const [first, second] = [open(threads).ready(), open(threads).ready()];
  await turn();
  started[0]!.emit('error', Object.assign(new Error('EMFILE: too many open files, open x'), { code: 'EMFILE' }));
  started[1]!.emit('error', new Error('Cannot find module'));
  await expect(first).rejects.toMatchObject({ code: 'OUT_OF_RESOURCES' });
  await expect(second).rejects.toMatchObject({ code: 'INTERNAL', next: expect.any(String) });
  await threads.close();
});
