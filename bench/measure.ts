import { crc32 } from '../src/main/engine/crc32.ts';
import { nodeFiles } from '../src/main/engine/node-files.ts';

/** One line of the table: what was measured, beside what it is held against. */
export interface Figure {
  name: string;
  value: number;
  unit: string;
  /** What the value is held against, in words; null for a figure that is only told. */
  goal: string | null;
  met: boolean | null;
}

export const figures: Figure[] = [];

/** Adds a figure and prints it. */
export function report(name: string, value: number, unit: string, goal?: { text: string; met: boolean }): void {
  const rounded = Math.abs(value) >= 100 ? Math.round(value) : Math.round(value * 100) / 100;
  const figure: Figure = { name, value: rounded, unit, goal: goal?.text ?? null, met: goal?.met ?? null };
  figures.push(figure);
  const verdict = goal ? `  ${goal.met ? 'met' : 'NOT MET'}: ${goal.text}` : '';
  console.log(`${name.padEnd(58)} ${rounded.toLocaleString('en-US').padStart(12)} ${unit.padEnd(10)}${verdict}`);
}

export function atLeast(value: number, least: number, unit = ''): { text: string; met: boolean } {
  return { text: `at least ${least.toLocaleString('en-US')}${unit}`, met: value >= least };
}

export function atMost(value: number, most: number, unit = ''): { text: string; met: boolean } {
  return { text: `at most ${most.toLocaleString('en-US')}${unit}`, met: value <= most };
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

export function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]!;
}

/** Seconds that `run` takes. */
export async function secondsOf(run: () => unknown): Promise<number> {
  const start = performance.now();
  await run();
  return (performance.now() - start) / 1000;
}

/**
 * Runs two things in turn, several times, and compares each run with the one beside it: other work on the machine then slows both.
 * Returns the median seconds of each, the median of how many times as fast as the first the second is, and the median of how many times
 * the first's processor time the second takes, over all threads: the figure that other work disturbs least.
 */
export async function compare(
  rounds: number,
  limit: () => unknown,
  run: () => unknown,
): Promise<{ limit: number; run: number; ratio: number; processorTime: number }> {
  const limits: number[] = [];
  const runs: number[] = [];
  const ratios: number[] = [];
  const processorTimes: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const atStart = process.cpuUsage();
    const before = await secondsOf(limit);
    const ofLimit = process.cpuUsage(atStart);
    const between = process.cpuUsage();
    const seconds = await secondsOf(run);
    const ofRun = process.cpuUsage(between);
    processorTimes.push((ofRun.user + ofRun.system) / (ofLimit.user + ofLimit.system));
    const after = await secondsOf(limit);
    limits.push(before, after);
    runs.push(seconds);
    ratios.push((before + after) / 2 / seconds);
  }
  return { limit: median(limits), run: median(runs), ratio: median(ratios), processorTime: median(processorTimes) };
}

const BLOCK = 1 << 20;

/** The limit of one thread: the file read in sequence, and one native CRC pass over blocks of 1 MiB. */
export function readAndHash(path: string): number {
  return readAll(path, crc32);
}

/** The file read in sequence. */
export function readOnly(path: string): number {
  return readAll(path, (_, seed) => seed ?? 0);
}

function readAll(path: string, take: (bytes: Uint8Array, seed?: number) => number): number {
  const file = nodeFiles.open(path, 'read');
  const block = new Uint8Array(BLOCK);
  let result = 0;
  for (let at = 0; ; ) {
    const count = file.read(block, 0, BLOCK, at);
    if (count === 0) break;
    result = take(count === BLOCK ? block : block.subarray(0, count), result);
    at += count;
  }
  file.close();
  return result;
}
