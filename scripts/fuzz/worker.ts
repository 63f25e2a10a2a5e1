import { parentPort, workerData } from 'node:worker_threads';
import { namedCases } from './named-cases.ts';
import { runTarget } from './target.ts';
import { allTargets } from './targets.ts';

/** What a worker is asked to run: the named cases, or so many cases of one target, or the one at a path. */
export interface Assignment {
  /** Two numbers: which case is running, and 1 while one is. */
  shared: SharedArrayBuffer;
  target: string | null;
  cases: number;
  seed: number;
  path?: string;
}

const { shared, target, cases, seed, path } = workerData as Assignment;
const running = new Int32Array(shared);
const started = (number: number): void => {
  Atomics.store(running, 0, number);
  Atomics.store(running, 1, 1);
};

if (target === null) {
  let failure: { path: string; message: string; example: string } | null = null;
  let ran = 0;
  for (const [at, { name, run }] of namedCases().entries()) {
    if (path !== undefined && path !== String(at)) continue;
    started(at);
    ran++;
    try {
      run();
    } catch (thrown) {
      failure = { path: String(at), message: String((thrown as Error).stack ?? thrown), example: name };
      break;
    }
  }
  parentPort!.postMessage({ cases: ran, failure });
} else {
  const chosen = allTargets().find(({ name }) => name === target)!;
  parentPort!.postMessage(runTarget(chosen, { cases, seed, started, ...(path === undefined ? {} : { path }) }));
}
