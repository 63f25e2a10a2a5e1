import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { LogPayloadStorage } from '../src/main/engine/log-payload-storage.ts';
import { randomNumbers } from './data.ts';
import { atLeast, percentile, report, secondsOf } from './measure.ts';

const RETRIEVES = 300_000;
const payload = new TextEncoder().encode('{"content":"amber basil cedar delta ember fjord","score":17}');

/** Snapshot, retrieves of random ids. */
export async function benchReading(directory: string) {
  const writer = LogPayloadStorage.open(directory, { writable: true, automaticSnapshotBytes: Number.MAX_SAFE_INTEGER });
  const entries = writer.ids().length;
  const written = await secondsOf(() => writer.createSnapshot());
  writer.close();
  report('snapshot write', entries / written / 1e6, 'M/s');
  let storage!: LogPayloadStorage;
  const loaded = await secondsOf(() => {
    storage = LogPayloadStorage.open(directory);
  });
  report(`storage open by a snapshot of ${entries.toLocaleString('en-US')} entries`, loaded * 1000, 'ms');

  const ids = storage.ids();
  const random = randomNumbers(7);
  const chosen = Array.from({ length: RETRIEVES }, () => ids[Math.floor(random() * ids.length)]!);
  for (let at = 0; at < 20_000; at++) storage.retrieve(chosen[at]!);
  const seconds = await secondsOf(() => {
    for (const id of chosen) storage.retrieve(id);
  });
  const times: number[] = [];
  for (const id of chosen.slice(0, 100_000)) {
    const start = process.hrtime.bigint();
    storage.retrieve(id);
    times.push(Number(process.hrtime.bigint() - start) / 1000);
  }
  storage.close();
  rmSync(join(directory, 'payloads.snapshot'));
  const rate = RETRIEVES / seconds;
  report('random retrieves', rate, 'a second', atLeast(rate, 300_000));
  report('random retrieves: p99', percentile(times, 0.99), 'µs');
}

/** Stores in each durability mode, one by one and in batches of 1,000. */
export async function benchWriting(parent: string) {
  const goals = { none: 400_000, flush: 250_000, fsync: 0 };
  for (const durability of ['none', 'flush', 'fsync'] as const) {
    for (const batch of [1, 1000]) {
      const directory = join(parent, `${durability}-${batch}`);
      mkdirSync(directory);
      const storage = LogPayloadStorage.open(directory, {
        durability,
        writable: true,
        automaticSnapshotBytes: Number.MAX_SAFE_INTEGER,
      });
      let id = 0n;
      const write = (count: number) => {
        for (let done = 0; done < count; done += batch) {
          if (batch === 1) storage.store(id++, payload);
          else storage.storeBatch(Array.from({ length: batch }, () => [id++, payload] as const));
        }
        if (durability === 'none') storage.flush();
      };
      const count = durability !== 'fsync' ? 400_000 : batch === 1 ? 500 : 100_000;
      write(Math.min(count, 50_000));
      const rate = count / (await secondsOf(() => write(count)));
      storage.close();
      rmSync(directory, { recursive: true });
      const goal = durability === 'fsync' ? 0 : batch === 1 ? goals[durability] : 600_000;
      const name = `stores, ${durability}, ${batch === 1 ? 'one by one' : `batches of ${batch}`}`;
      report(name, rate, 'a second', goal > 0 ? atLeast(rate, goal) : undefined);
    }
  }
}
