import { defineConfig } from '@playwright/test';
import type { AppOptions } from '../../e2e/app.ts';

/** `npm run pictures`: the pictures of docs/pictures, drawn anew through the browser door. */
export default defineConfig<AppOptions>({
  testDir: '.',
  testMatch: 'pictures.ts',
  outputDir: '../../test-results/pictures',
  workers: 1,
  reporter: 'list',
  use: { door: 'browser' },
});
