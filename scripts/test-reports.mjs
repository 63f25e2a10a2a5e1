// What the reports of vitest and Playwright come to: how many tests passed, failed and were skipped, and which.
import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

/** Lines of an error that are repeated at the end of a run: what was expected, what came, and where. */
const REASON_LINES = 12;

/**
 * @typedef {object} Counts
 * @property {number} passed
 * @property {number} failed
 * @property {number} skipped
 * @property {string[]} skippedNames with the reason where the test gave one
 * @property {string[]} failures with what each failed with: whoever sees only the end of a run looks for it there
 * @property {string[]} secondRuns tests that failed and then passed, with what they failed with at first
 */

/** @returns {Counts} */
export function emptyCounts() {
  return { passed: 0, failed: 0, skipped: 0, skippedNames: [], failures: [], secondRuns: [] };
}

/** Adds `counts` to `sum`, which is changed. */
export function addCounts(sum, counts) {
  for (const key of Object.keys(counts)) {
    if (typeof counts[key] === 'number') sum[key] += counts[key];
    else sum[key].push(...counts[key]);
  }
}

/** Counts a report of vitest's reporter `json`; files are named from `root`. */
export function countVitest(report, root) {
  const counts = emptyCounts();
  for (const file of report.testResults) {
    const where = relative(root, file.name);
    if (file.status === 'failed' && !file.assertionResults.some(({ status }) => status === 'failed')) {
      counts.failed += 1;
      counts.failures.push(withReason(where, file.message));
    }
    for (const test of file.assertionResults) {
      const name = `${where}: ${test.fullName}`;
      if (test.status === 'passed') counts.passed += 1;
      else if (test.status === 'failed') {
        counts.failed += 1;
        counts.failures.push(withReason(name, test.failureMessages?.[0]));
      } else {
        counts.skipped += 1;
        counts.skippedNames.push(name);
      }
    }
  }
  return counts;
}

/** Counts a report of Playwright's reporter `json`. A test that passed when it was run again has passed, and is named. */
export function countPlaywright(report) {
  const counts = emptyCounts();
  const take = (test, title) => {
    const name = `[${test.projectName}] ${title}`;
    const error = test.results.flatMap(({ errors }) => errors)[0]?.message;
    if (test.status === 'skipped') {
      counts.skipped += 1;
      const reason = test.annotations.find(({ type }) => type === 'skip')?.description;
      counts.skippedNames.push(reason ? `${name}: ${reason}` : name);
    } else if (test.status === 'unexpected') {
      counts.failed += 1;
      counts.failures.push(withReason(name, error));
    } else {
      counts.passed += 1;
      if (test.status === 'flaky') counts.secondRuns.push(withReason(name, error));
    }
  };
  const walk = (suite, names) => {
    for (const spec of suite.specs ?? []) {
      for (const test of spec.tests) take(test, [...names, spec.title].join(' › '));
    }
    for (const inner of suite.suites ?? []) walk(inner, [...names, inner.title]);
  };
  for (const suite of report.suites) walk(suite, [suite.title]);
  for (const error of report.errors ?? []) {
    counts.failed += 1;
    counts.failures.push(withReason('playwright', error.message));
  }
  return counts;
}

function withReason(name, message) {
  const lines = stripVTControlCharacters(message ?? '')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(0, REASON_LINES);
  return [name, ...lines.map((line) => `    ${line}`)].join('\n');
}
