// npm test: types, lint, import directions, build, unit, end to end, in this order. Every stage runs, whatever failed before it,
// so that one run tells everything. Ends with the line "N passed, N failed, N skipped": the tests of vitest and Playwright; a
// stage that failed without a failing test of its own counts as one failed.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from './build-if-stale.mjs';
import { provideChromium } from './chromium.mjs';
import { electronExecutable, hasDisplay } from './electron-runtime.mjs';
import { addCounts, countPlaywright, countVitest, emptyCounts } from './test-reports.mjs';

const root = join(import.meta.dirname, '..');
const results = join(root, 'test-results');
/** What all stages came to so far. */
const sum = emptyCounts();

const bin = (name, file) => join(root, 'node_modules', name, file);
const say = (text) => console.log(text);

/** Runs a Node program from this directory without a standard input. Returns its exit status. */
function node(parameters, environment = {}) {
  const run = spawnSync(process.execPath, parameters, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...environment },
  });
  return run.status ?? 1;
}

function stage(name, work) {
  const started = Date.now();
  say(`\n== ${name}`);
  let status;
  try {
    status = work();
  } catch (error) {
    console.error(error);
    status = 1;
  }
  say(
    `== ${name}: ${status === 0 ? 'ok' : `FAILED (status ${status})`}, ${((Date.now() - started) / 1000).toFixed(1)} s`,
  );
  return status;
}

/** A stage that holds no tests: counted only when it fails. */
function check(name, work) {
  const status = stage(name, work);
  if (status !== 0) fail(name);
  return status;
}

function fail(name) {
  sum.failed += 1;
  sum.failures.push(name);
}

/** A stage of tests: its counts are read from the report it wrote. */
function tests(name, report, work, count) {
  rmSync(report, { force: true });
  const status = stage(name, work);
  const counts = existsSync(report) ? count(JSON.parse(readFileSync(report, 'utf8'))) : emptyCounts();
  // A runner that ended badly with no failing test in its report: a file that does not load, an error outside of tests.
  if (counts.failed === 0 && (status !== 0 || counts.passed + counts.skipped === 0)) {
    counts.failed = 1;
    counts.failures.push(name);
  }
  say(`${name}: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  addCounts(sum, counts);
}

mkdirSync(results, { recursive: true });

for (const part of ['core', 'node', 'renderer']) {
  check(`types (${part})`, () => node([bin('typescript', 'bin/tsc'), '-p', `tsconfig.${part}.json`]));
}
check('lint', () => node([bin('@biomejs/biome', 'bin/biome'), 'check', '.']));
check('layers', () => node([join(root, 'scripts', 'check-layers.mjs')]));
const built = check('build', build);

const unitReport = join(results, 'unit.json');
tests(
  'unit',
  unitReport,
  () =>
    node([
      bin('vitest', 'vitest.mjs'),
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${unitReport}`,
    ]),
  (report) => countVitest(report, root),
);

if (built === 0) {
  const chromium = provideChromium(say);
  if (!electronExecutable()) say("e2e: project electron does not run here: Electron's runtime is not installed");
  else if (!hasDisplay()) say('e2e: project electron does not run here: there is no display');
  const endToEndReport = join(results, 'e2e.json');
  tests(
    'e2e',
    endToEndReport,
    () => {
      if (!chromium) {
        console.error('e2e: no Chromium here, and none could be had');
        return 1;
      }
      return node([bin('@playwright/test', 'cli.js'), 'test', '--reporter=list,json'], {
        VELESCOPE_CHROMIUM: chromium,
        PLAYWRIGHT_JSON_OUTPUT_NAME: endToEndReport,
        PLAYWRIGHT_JSON_OUTPUT_FILE: endToEndReport,
      });
    },
    countPlaywright,
  );
} else {
  fail('e2e: not run, because the build failed');
}

const list = (title, names) => {
  if (names.length > 0) say(`\n${title}:\n${names.map((name) => `  ${name}`).join('\n')}`);
};
list('Skipped', sum.skippedNames);
list('Passed only when run again', sum.secondRuns);
list('Failed', sum.failures);
say(`\n${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`);
process.exitCode = sum.failed === 0 ? 0 : 1;
