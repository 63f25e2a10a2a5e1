import { cpSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { LogPayloadStorage } from '../../src/main/engine/log-payload-storage.ts';
import { Random } from './random.ts';
import type { Release } from './release.ts';

/** Microseconds: the middle one, and the one that 95 of 100 stay below. */
export interface Timing {
  median: number;
  p95: number;
  calls: number;
}

export type SpeedRow = { what: string } & Record<string, Timing | null | string>;

export interface SpeedResult {
  records: number;
  bytes: number;
  rows: SpeedRow[];
}

const DURABILITIES = ['fsync', 'flush', 'none'] as const;
const BATCH = 100;

/**
 * One directory, made by the first release, copied for everyone who is measured; every call is timed inside its own process,
 * around the call alone. Velescope checks more than VelesDB does (it reads back what it wrote, and looks at the whole log
 * before it lets anybody write), which is why opening for writing is a row of its own.
 */
export async function measureSpeed(
  releases: Release[],
  options: { seed: number; records: number; quick: boolean; scratch: string },
): Promise<SpeedResult> {
  const random = new Random(options.seed);
  const origin = join(options.scratch, 'speed');
  rmSync(origin, { recursive: true, force: true });
  mkdirSync(origin, { recursive: true });
  const maker = releases.find(({ abilities }) => abilities.storeBatch)!;
  await maker.must('storage.open', { directory: origin, durability: 'flush' });
  for (let id = 0; id < options.records; id += 500) {
    const count = Math.min(500, options.records - id);
    await maker.must('storage.batch', { entries: Array.from({ length: count }, (_, at) => entry(id + at)) });
  }
  await maker.must('storage.snapshot');
  await maker.must('storage.close');

  const ids = Array.from({ length: options.quick ? 2000 : 10_000 }, () => String(random.below(options.records)));
  const writes = {
    fsync: options.quick ? 40 : 200,
    flush: options.quick ? 500 : 4000,
    none: options.quick ? 500 : 4000,
  };
  const rows: SpeedRow[] = [];
  const row = (what: string, values: Record<string, Timing | null>) => rows.push({ what, ...values });
  const contenders: Contender[] = [
    ...releases.map((release) => new VelesdbContender(release)),
    new VelescopeContender(),
  ];
  const measure = async (what: string, act: (contender: Contender, directory: string) => Promise<number[] | null>) => {
    const values: Record<string, Timing | null> = {};
    for (const contender of contenders) {
      const directory = join(options.scratch, 'speed-copy');
      rmSync(directory, { recursive: true, force: true });
      cpSync(origin, directory, { recursive: true });
      const durations = await act(contender, directory);
      values[contender.name] = durations && summarized(durations);
      await contender.close();
    }
    row(what, values);
  };
  const withoutSnapshot = (directory: string) => rmSync(join(directory, 'payloads.snapshot'));

  const times = options.quick ? 3 : 7;
  await measure('open, with snapshot', (contender, directory) => contender.open(directory, times));
  await measure('open, replaying the log', (contender, directory) => {
    withoutSnapshot(directory);
    return contender.open(directory, times);
  });
  await measure('open for writing, with snapshot', (contender, directory) =>
    contender.openForWriting(directory, times),
  );
  await measure('open for writing, replaying the log', (contender, directory) => {
    withoutSnapshot(directory);
    return contender.openForWriting(directory, times);
  });
  await measure('random read', async (contender, directory) => {
    await contender.open(directory, 1);
    return contender.read(ids);
  });
  for (const durability of DURABILITIES) {
    await measure(`store, ${durability}`, (contender, directory) =>
      contender.store(
        directory,
        durability,
        Array.from({ length: writes[durability] }, (_, at) => entry(at)),
      ),
    );
    await measure(`batch of ${BATCH}, ${durability}`, (contender, directory) =>
      contender.batch(
        directory,
        durability,
        Array.from({ length: writes[durability] * 5 }, (_, at) => entry(at)),
      ),
    );
  }
  await measure('snapshot', (contender, directory) => {
    withoutSnapshot(directory);
    return contender.snapshot(directory);
  });
  return { records: options.records, bytes: statSync(join(origin, 'payloads.log')).size, rows };
}

type Entry = [string, string];

/** About 500 bytes, as an application would store. */
function entry(id: number): Entry {
  const content = `entry ${id} `.repeat(30);
  return [String(id), JSON.stringify({ content, id, n: id / 8, tags: ['alpha', 'beta'], title: `Title ${id}` })];
}

function summarized(nanoseconds: number[]): Timing {
  const sorted = [...nanoseconds].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]! / 1000;
  return { median: at(0.5), p95: at(0.95), calls: sorted.length };
}

/** Each answers how many nanoseconds every call took; null where it cannot. */
interface Contender {
  name: string;
  open(directory: string, times: number): Promise<number[]>;
  openForWriting(directory: string, times: number): Promise<number[]>;
  read(ids: string[]): Promise<number[]>;
  store(directory: string, durability: string, entries: Entry[]): Promise<number[]>;
  batch(directory: string, durability: string, entries: Entry[]): Promise<number[] | null>;
  snapshot(directory: string): Promise<number[]>;
  close(): Promise<void>;
}

class VelesdbContender implements Contender {
  readonly name: string;
  readonly #release: Release;

  constructor(release: Release) {
    this.#release = release;
    this.name = `VelesDB ${release.version}`;
  }

  async open(directory: string, times: number): Promise<number[]> {
    return this.#timed('time.open', { directory, times });
  }

  /** VelesDB knows no other way to open. */
  openForWriting(directory: string, times: number): Promise<number[]> {
    return this.open(directory, times);
  }

  read(ids: string[]): Promise<number[]> {
    return this.#timed('time.retrieve', { ids });
  }

  async store(directory: string, durability: string, entries: Entry[]): Promise<number[]> {
    await this.#release.must('storage.open', { directory, durability });
    return this.#timed('time.store', { entries });
  }

  async batch(directory: string, durability: string, entries: Entry[]): Promise<number[] | null> {
    if (!this.#release.abilities.storeBatch) return null;
    await this.#release.must('storage.open', { directory, durability });
    return this.#timed('time.batch', { entries, size: BATCH });
  }

  async snapshot(directory: string): Promise<number[]> {
    await this.#release.must('storage.open', { directory });
    return this.#timed('time.snapshot', {});
  }

  async close(): Promise<void> {
    await this.#release.must('storage.close');
  }

  async #timed(method: string, fields: object): Promise<number[]> {
    return (await this.#release.must(method, fields)).nanoseconds as number[];
  }
}

class VelescopeContender implements Contender {
  readonly name = 'Velescope';
  #storage: LogPayloadStorage | null = null;

  async open(directory: string, times: number, writable = false): Promise<number[]> {
    const durations: number[] = [];
    for (let time = 0; time < times; time++) {
      this.#storage?.close();
      durations.push(
        measured(() => {
          this.#storage = LogPayloadStorage.open(directory, { writable });
        }),
      );
      const refusal = writable ? this.#storage!.writingRefusal : null;
      if (refusal !== null) throw refusal;
    }
    return durations;
  }

  openForWriting(directory: string, times: number): Promise<number[]> {
    return this.open(directory, times, true);
  }

  async read(ids: string[]): Promise<number[]> {
    const storage = this.#storage!;
    return ids.map((id) => {
      const one = BigInt(id);
      return measured(() => {
        if (!storage.retrieve(one)!.ok) throw new Error(`${id} cannot be read`);
      });
    });
  }

  async store(directory: string, durability: string, entries: Entry[]): Promise<number[]> {
    const storage = this.#openForWriting(directory, durability);
    return entries.map(([id, text]) => {
      const one = BigInt(id);
      return measured(() => storage.store(one, text));
    });
  }

  async batch(directory: string, durability: string, entries: Entry[]): Promise<number[]> {
    const storage = this.#openForWriting(directory, durability);
    const durations: number[] = [];
    for (let from = 0; from < entries.length; from += BATCH) {
      const batch = entries.slice(from, from + BATCH).map(([id, text]) => [BigInt(id), text] as const);
      durations.push(measured(() => storage.storeBatch(batch)));
    }
    return durations;
  }

  async snapshot(directory: string): Promise<number[]> {
    const storage = this.#openForWriting(directory, 'fsync');
    return [measured(() => storage.createSnapshot())];
  }

  async close(): Promise<void> {
    this.#storage?.close();
    this.#storage = null;
  }

  #openForWriting(directory: string, durability: string): LogPayloadStorage {
    this.#storage = LogPayloadStorage.open(directory, {
      writable: true,
      durability: durability as 'fsync' | 'flush' | 'none',
    });
    return this.#storage;
  }
}

function measured(work: () => void): number {
  const begin = process.hrtime.bigint();
  work();
  return Number(process.hrtime.bigint() - begin);
}

/** The table for a terminal: median and, behind the slash, what 95 of 100 calls stay below. */
export function speedTable({ records, bytes, rows }: SpeedResult): string {
  const names = Object.keys(rows[0]!).filter((name) => name !== 'what');
  const cells = rows.map((row) => [row.what, ...names.map((name) => cell(row[name] as Timing | null))]);
  const table = [['microseconds, median / 95 %', ...names], ...cells];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((line) => line[column]!.length)));
  const lines = table.map((line) =>
    line
      .map((text, column) => (column === 0 ? text.padEnd(widths[column]!) : text.padStart(widths[column]!)))
      .join('  '),
  );
  return [`${records} records, ${(bytes / 1e6).toFixed(1)} MB`, ...lines].join('\n');
}

function cell(timing: Timing | null): string {
  return timing === null ? 'not there' : `${figure(timing.median)} / ${figure(timing.p95)}`;
}

function figure(value: number): string {
  return value >= 100 ? String(Math.round(value)) : value.toFixed(value >= 10 ? 1 : 2);
}
