import { defineConfig } from '@playwright/test';
import type { AppOptions } from '../../e2e/app.ts';

/** `npm run bench:typing`: not part of the tests, because it asserts no time. */
export default defineConfig<AppOptions>({
  testDir: '.',
  testMatch: 'typing.ts',
  outputDir: '../../test-results/typing',
  workers: 1,
  timeout: 300_000,
  expect: { timeout: 60_000 },
  reporter: 'line',
  projects: [{ name: 'browser', use: { door: 'browser' } }],
});
