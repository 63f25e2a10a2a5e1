import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { nodeFiles } from '../engine/node-files.ts';
import { followFile } from './following.ts';

let directory: string;
let path: string;
let end: () => void = () => {};

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'velescope-follow-'));
  path = join(directory, 'payloads.log');
  writeFileSync(path, 'a');
});

afterEach(() => {
  end();
  vi.useRealTimers();
  rmSync(directory, { recursive: true, force: true });
});

it('a change is looked at without waiting for the next poll where the system tells of it', async ({ skip }) => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const tells = nodeFiles.watch(path, () => {});
  if (!tells) skip('this system tells nobody of changes');
  tells?.();
  const look = vi.fn();
  end = followFile(nodeFiles, path, look);
  appendFileSync(path, 'b');
  await expect.poll(() => look.mock.calls.length, { timeout: 10_000 }).toBeGreaterThan(0);
});

it('where nobody tells, it is looked at again and again, until told to stop', () => {
  vi.useFakeTimers();
  const look = vi.fn();
  end = followFile({ ...nodeFiles, watch: () => null }, path, look);
  vi.advanceTimersByTime(2_000);
  expect(look).toHaveBeenCalledTimes(4);
  end();
  vi.advanceTimersByTime(2_000);
  expect(look).toHaveBeenCalledTimes(4);
});
