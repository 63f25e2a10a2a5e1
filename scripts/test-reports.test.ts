import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { addCounts, countPlaywright, countVitest, emptyCounts } from './test-reports.mjs';

const root = resolve(import.meta.dirname, '..');

/** Runs a runner of tests on files of a directory inside the project, where its packages are found; gives its report. */
function reportOf(files: Record<string, string>, words: (directory: string) => string[]): object {
  const results = join(root, 'test-results');
  mkdirSync(results, { recursive: true });
  const directory = mkdtempSync(join(results, 'reports-'));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
    // What this process says to its own runner is nothing for another one.
    const env = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^(VITEST|TEST|NODE_ENV)/.test(name)),
    );
    const run = spawnSync(process.execPath, words(directory), { cwd: directory, encoding: 'utf8', env });
    return JSON.parse(run.stdout.slice(run.stdout.indexOf('{'))) as object;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

test('Playwright: a test that passes when run again has passed and is named, a failed one is named with its reason', () => {
  const report = reportOf(
    {
      'playwright.config.mjs':
        "export default { outputDir: 'left', respectGitIgnore: false, testMatch: '*.case.mjs', retries: 1, projects: [{ name: 'door' }] };",
      'some.case.mjs': `
        import { expect, test } from '@playwright/test';
        test('good', () => {});
        test('late', ({}, { retry }) => expect(retry, 'first time').toBe(1));
        test.describe('group', () => test('bad', () => expect(1, 'one is not two').toBe(2)));
        test('not here', () => test.skip(true, 'nothing to see'));
      `,
    },
    () => [join(root, 'node_modules/@playwright/test/cli.js'), 'test', '--reporter=json'],
  );
  const counts = countPlaywright(report);
  expect(counts).toMatchObject({ passed: 2, failed: 1, skipped: 1 });
  expect(counts.skippedNames).toEqual(['[door] some.case.mjs › not here: nothing to see']);
  expect(counts.secondRuns).toEqual([expect.stringMatching(/^\[door\] some\.case\.mjs › late\n {4}Error: first time/)]);
  expect(counts.failures).toEqual([
    expect.stringMatching(/^\[door\] some\.case\.mjs › group › bad\n {4}Error: one is not two[\s\S]*Expected: 2/),
  ]);
});

test('vitest: failures are named with their reasons, and so is a file that does not load', () => {
  const report = reportOf(
    {
      'some.case.mjs': `
        import { expect, test } from 'vitest';
        test('good', () => expect(1).toBe(1));
        test('bad', () => expect(1, 'one is not two').toBe(2));
        test.skip('left', () => {});
      `,
      'vitest.config.mjs': "export default { test: { include: ['*.case.mjs'] } };",
      'broken.case.mjs': "throw new Error('does not load');",
    },
    (directory) => [join(root, 'node_modules/vitest/vitest.mjs'), ...['run', '--root', directory, '--reporter=json']],
  );
  const counts = countVitest(report, root);
  expect(counts).toMatchObject({ passed: 1, failed: 2, skipped: 1 });
  expect(counts.failures).toContainEqual(expect.stringMatching(/some\.case\.mjs: bad\n {4}.*one is not two/));
  expect(counts.failures).toContainEqual(expect.stringMatching(/broken\.case\.mjs\n {4}.*does not load/));
});

test('counts of stages add up, names and all', () => {
  const sum = emptyCounts();
  addCounts(sum, { ...emptyCounts(), passed: 2, failures: ['one'] });
  addCounts(sum, { ...emptyCounts(), passed: 3, failed: 1, failures: ['two'] });
  expect(sum).toMatchObject({ passed: 5, failed: 1, skipped: 0, failures: ['one', 'two'] });
});
