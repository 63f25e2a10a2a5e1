import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { SyncBehind } from './sync-behind.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A disk whose syncs end when the test says so. */
function disk() {
  const running: { resolve(): void; reject(reason: unknown): void }[] = [];
  const said: string[] = [];
  const file = new SyncBehind(7, {
    dataSync: (descriptor) => {
      said.push(`sync ${descriptor}`);
      return new Promise((resolve, reject) => running.push({ resolve, reject }));
    },
    dataSyncNow: () => said.push('sync now'),
    close: () => said.push('close'),
  });
  return { file, said, running };
}

test('what was written is synced a moment later, however much is written meanwhile', async () => {
  const { file, said } = disk();
  for (let key = 0; key < 10; key++) {
    file.wrote();
    vi.advanceTimersByTime(100);
  }
  expect(said).toEqual(['sync 7']);
});

test('one sync runs at a time, and what was written during it is synced after it', async () => {
  const { file, said, running } = disk();
  file.wrote();
  vi.advanceTimersByTime(1000);
  file.wrote();
  vi.advanceTimersByTime(5000);
  expect(said).toEqual(['sync 7']);
  running[0]!.resolve();
  await vi.advanceTimersByTimeAsync(1000);
  expect(said).toEqual(['sync 7', 'sync 7']);
  running[1]!.resolve();
  await vi.advanceTimersByTimeAsync(5000);
  expect(said).toHaveLength(2);
});

test('it is settled when what was written is on the disk, and nothing is synced twice', async () => {
  const { file, said, running } = disk();
  file.wrote();
  let isSettled = false;
  const settled = file.settled().then(() => {
    isSettled = true;
  });
  await vi.advanceTimersByTimeAsync(0);
  expect([said, isSettled]).toEqual([['sync 7'], false]);
  running[0]!.resolve();
  await settled;
  await file.settled();
  expect(said).toEqual(['sync 7']);
});

test('a sync that failed is said at the next write', async () => {
  const { file, running } = disk();
  file.wrote();
  vi.advanceTimersByTime(1000);
  running[0]!.reject(new Error('EIO'));
  await vi.advanceTimersByTimeAsync(0);
  expect(() => file.wrote()).toThrow('EIO');
  expect(() => file.wrote()).not.toThrow();
});

test('a file that stays is synced before it is closed, one that goes is not', async () => {
  const stays = disk();
  stays.file.wrote();
  stays.file.close(true);
  expect(stays.said).toEqual(['sync now', 'close']);

  const goes = disk();
  goes.file.wrote();
  goes.file.close(false);
  vi.advanceTimersByTime(5000);
  expect(goes.said).toEqual(['close']);

  const busy = disk();
  busy.file.wrote();
  vi.advanceTimersByTime(1000);
  busy.file.close(true);
  expect(busy.said).toEqual(['sync 7', 'sync now', 'close']);
  busy.running[0]!.reject(new Error('EBADF'));
  await vi.advanceTimersByTimeAsync(5000);
  expect(busy.said).toEqual(['sync 7', 'sync now', 'close']);
});
