import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { bundle } from '../src/main/engine/bundle.fixture.ts';
import { namedCases } from './fuzz/named-cases.ts';
import type { Outcome } from './fuzz/target.ts';
import { allTargets, shares } from './fuzz/targets.ts';
import type { Assignment } from './fuzz/worker.ts';

const USAGE = 'usage: fuzz [--cases N] [--seed N] [--target NAME [--path PATH]] [--seconds N]';

/** How the cases that are written down are called among the targets. */
const NAMED = 'named';

/** What became of a worker: what it found, that a case did not end, or that it broke. */
type Result = Outcome | { hung: number } | { broke: string; at: number };

/**
 * `npm run fuzz -- --cases N --seed N`: that many cases, shared out over the targets (fuzz/targets.ts), after the named ones
 * (fuzz/named-cases.ts). Cases run in a worker, because only from another thread a case that hangs can be seen and ended: the watch
 * looks at the number of the case and gives it `--seconds`. A failed case is made as small as it gets and printed with the command
 * that runs it alone. Ends with status 1 when anything failed.
 */
export async function main(parameters: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...parameters],
    options: {
      cases: { type: 'string', default: '10000' },
      seed: { type: 'string', default: String(Date.now() & 0x7fff_ffff) },
      seconds: { type: 'string', default: '5' },
      target: { type: 'string' },
      path: { type: 'string' },
    },
  });
  const [cases, seed, seconds] = [Number(values.cases), Number(values.seed), Number(values.seconds)];
  const every = allTargets();
  const wanted = (name: string) => values.target === undefined || values.target === name;
  const targets = every.filter(({ name }) => wanted(name));
  if (
    !Number.isSafeInteger(cases) ||
    cases < 1 ||
    !Number.isInteger(seed) ||
    !(seconds > 0) ||
    (targets.length === 0 && !wanted(NAMED))
  ) {
    console.error(USAGE);
    console.error(`targets: "named", ${every.map(({ name }) => `"${name}"`).join(', ')}`);
    return 2;
  }
  const worker = await bundle('scripts/fuzz/worker.ts');
  const { path } = values;
  console.log(`seed ${seed}, ${path === undefined ? `${cases} cases` : `the case at ${path}`}`);
  const begun = performance.now();
  let ran = 0;
  let failures = 0;
  try {
    const report = (name: string, asked: number, result: Result, took: number): void => {
      const replay = (at: string) => `npm run fuzz -- --seed ${seed} --target "${name}" --path ${at}`;
      if ('cases' in result) ran += result.cases;
      const count = 'cases' in result ? result.cases : asked;
      console.log(`${name.padEnd(26)} ${String(count).padStart(7)} cases  ${(took / 1000).toFixed(1).padStart(7)} s`);
      if ('hung' in result) {
        const shrinking = result.hung >= asked;
        console.log(
          `  HUNG for ${seconds} s in case ${result.hung}${shrinking ? ' (making a failed one smaller)' : ''}`,
        );
        if (!shrinking) console.log(`  alone: ${replay(path ?? String(result.hung))}`);
      } else if ('broke' in result) {
        console.log(`  BROKE the worker in case ${result.at}: ${result.broke}`);
        console.log(`  alone: ${replay(path ?? String(result.at))}`);
      } else if (result.failure !== null) {
        console.log(`  FAILED ${result.failure.message}\n  with ${result.failure.example}`);
        console.log(`  alone: ${replay(result.failure.path)}`);
      } else return;
      failures++;
    };
    if (wanted(NAMED)) {
      const before = performance.now();
      const result = await runWatched(
        worker.program,
        { target: null, cases: 0, seed, ...(path === undefined ? {} : { path }) },
        seconds,
      );
      report(NAMED, namedCases().length, result, performance.now() - before);
    }
    for (const [at, share] of (targets.length === 0 ? [] : shares(targets, cases)).entries()) {
      if (share === 0) continue;
      const { name } = targets[at]!;
      const before = performance.now();
      const assignment = { target: name, cases: share, seed, ...(path === undefined ? {} : { path }) };
      const result = await runWatched(worker.program, assignment, seconds);
      report(name, path === undefined ? share : 1, result, performance.now() - before);
    }
  } finally {
    worker.remove();
  }
  const took = ((performance.now() - begun) / 1000).toFixed(0);
  console.log(`seed ${seed}: ${ran} cases in ${took} s, ${failures} ${failures === 1 ? 'target' : 'targets'} failed`);
  return failures === 0 ? 0 : 1;
}

function runWatched(program: string, assignment: Omit<Assignment, 'shared'>, seconds: number): Promise<Result> {
  const shared = new SharedArrayBuffer(8);
  const running = new Int32Array(shared);
  // Far more than a case needs and far less than hostile bytes ask for: memory that grows with a claim ends the worker here.
  const resourceLimits = { maxOldGenerationSizeMb: 1024 };
  const worker = new Worker(program, { workerData: { ...assignment, shared }, resourceLimits });
  return new Promise((resolve) => {
    let last = -1;
    let since = performance.now();
    const watch = setInterval(() => {
      const now = Atomics.load(running, 1) === 0 ? -1 : Atomics.load(running, 0);
      if (now !== last || now < 0) {
        last = now;
        since = performance.now();
      } else if (performance.now() - since > seconds * 1000) end({ hung: now });
    }, 200);
    const end = (result: Result): void => {
      clearInterval(watch);
      resolve(result);
      void worker.terminate();
    };
    worker.once('message', end);
    worker.once('error', (thrown) => end({ broke: thrown.message, at: Atomics.load(running, 0) }));
    worker.once('exit', (status) => end({ broke: `ended with status ${status}`, at: Atomics.load(running, 0) }));
  });
}
