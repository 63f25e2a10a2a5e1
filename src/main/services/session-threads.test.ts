import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { SessionThreads } from './session-threads.ts';

const threads = new SessionThreads();
afterEach(() => threads.close());

test('the thread that was loaded ahead is given once, and others are started when they are needed', async () => {
  threads.prepare();
  threads.prepare();
  const [first, second] = [threads.take(), threads.take()];
  expect(first.threadId).not.toBe(second.threadId);
  for (const worker of [first, second]) {
    worker.postMessage({ type: 'close' });
    expect(await once(worker, 'message')).toEqual([{ type: 'closed' }]);
    await once(worker, 'exit');
  }
});

test('closing ends the thread that was kept', async () => {
  const kept = new SessionThreads();
  kept.prepare();
  await kept.close();
  const worker = kept.take();
  expect(worker.threadId).toBeGreaterThan(0);
  await worker.terminate();
  await kept.close();
});
