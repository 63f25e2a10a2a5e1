import { defineConfig } from '@playwright/test';
import type { AppOptions } from './e2e/app.ts';

/** The same specs twice: over `velescope serve` in Chromium, and in the desktop application. */
export default defineConfig<AppOptions>({
  testDir: 'e2e',
  testMatch: '**/*.spec.ts',
  outputDir: 'test-results/e2e',
  // One worker: each test runs an engine of its own, and a machine of two cores also runs the browser.
  workers: 1,
  // A machine shared with others stalls for seconds now and then. What passes only when run again is named at the end of the run.
  retries: process.env.CI === undefined ? 0 : 1,
  timeout: 180_000,
  expect: { timeout: 30_000 },
  forbidOnly: process.env.CI !== undefined,
  reporter: 'list',
  projects: [
    { name: 'browser', use: { door: 'browser' } },
    { name: 'electron', use: { door: 'electron' } },
  ],
});
