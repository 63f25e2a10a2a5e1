import { availableParallelism } from 'node:os';
import { checkPayloads } from '../src/core/payload-check.ts';
import type { RecordTable } from '../src/core/record-table.ts';
import { runToEnd } from '../src/core/steps.ts';
import { FileSource } from '../src/main/engine/file-source.ts';
import { createRecordTable } from '../src/main/engine/huge-pages.ts';
import { nodeFiles } from '../src/main/engine/node-files.ts';
import { checkFile } from '../src/main/engine/parallel-check.ts';
import { scanFile } from '../src/main/engine/parallel-scan.ts';
import { workerUrl } from '../src/main/services/worker-url.ts';
import { CollectionState } from '../src/main/session/collection.ts';
import { searchPayloads } from '../src/main/session/search.ts';
import { RARE_WORD } from './data.ts';
import { atLeast, compare, readAndHash, readOnly, report } from './measure.ts';

/** Framing, CRC and index of a whole log, from nothing. */
async function open(path: string, workers: number): Promise<RecordTable> {
  const file = nodeFiles.open(path, 'read');
  const table = createRecordTable();
  await scanFile({ source: new FileSource(file), table, file, workers, workerUrl: () => workerUrl('log') });
  file.close();
  return table;
}

/** Opening and the payload check of one log, against the limit. */
export async function benchOpening(path: string, label: string, bytes: number, goal: number, rounds: number) {
  const megabytes = bytes / 1e6;
  const all = availableParallelism();
  await open(path, 1);
  for (const workers of [1, all]) {
    const { limit, run, ratio, processorTime } = await compare(
      rounds,
      () => readAndHash(path),
      () => open(path, workers),
    );
    const name = `open, ${label} records, ${workers} worker${workers === 1 ? '' : 's'}`;
    report(`${name}: limit of one thread`, megabytes / limit, 'MB/s');
    report(name, megabytes / run, 'MB/s');
    report(`${name}: of the limit`, ratio, 'times', workers === all ? atLeast(ratio, goal) : undefined);
    report(`${name}: processor time, of the limit's`, processorTime, 'times');
  }
  const table = await open(path, 1);
  const file = nodeFiles.open(path, 'read');
  const check = await compare(
    rounds,
    () => readOnly(path),
    () => runToEnd(checkPayloads({ source: new FileSource(file), table })),
  );
  const speed = megabytes / check.run;
  report(`payload check, ${label} records, a core`, speed, 'MB/s', atLeast(speed, 150));
  const together = await compare(
    rounds,
    () => readOnly(path),
    () => checkFile({ source: new FileSource(file), table, file, workers: all, workerUrl: () => workerUrl('log') }),
  );
  file.close();
  report(`payload check, ${label} records, ${all} workers`, megabytes / together.run, 'MB/s');
}

/** A text search over all payloads, against reading the file. */
export async function benchSearch(directory: string, path: string, bytes: number, rounds: number) {
  const state = new CollectionState(nodeFiles, directory);
  state.open();
  await state.scanFast({ signal: new AbortController().signal, onProgress: () => {} });
  let hits = 0;
  const { run, ratio } = await compare(
    rounds,
    () => readOnly(path),
    () => {
      hits = 0;
      const search = { needle: Buffer.from(RARE_WORD), condition: null };
      runToEnd(
        searchPayloads(
          state,
          search,
          () => true,
          () => hits++,
        ),
      );
    },
  );
  state.close();
  report('text search', bytes / 1e6 / run, 'MB/s');
  report('text search: of the sequential read', ratio, 'times', atLeast(ratio, 0.5));
  report('text search: records found', hits, 'records');
}
