import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfigFromFile } from 'electron-vite';
import { build, type InlineConfig } from 'vite';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
let outDir: string;
beforeAll(async () => {
  outDir = mkdtempSync(join(tmpdir(), 'velescope-preload-'));
});
afterAll(() => rmSync(outDir, { recursive: true, force: true }));

/** What a sandboxed preload may require (docs/security.md, item B). */
const ALLOWED = ['electron', 'events', 'timers', 'url', 'node:events', 'node:timers', 'node:url'];

test('the preload is built as one CommonJS file that requires nothing a sandbox does not give', async () => {
  const { config } = await loadConfigFromFile(
    { command: 'build', mode: 'production' },
    join(root, 'electron.vite.config.ts'),
    root,
  );
  const { preload } = config as { preload: InlineConfig };
  // What is no file of ours stays a `require`, as in the release build, where the sandbox would refuse it.
  const external = (name: string) => !/^[./]|^[A-Za-z]:[\\/]/.test(name);
  const rollupOptions = { ...preload.build!.rollupOptions, external };
  await build({ configFile: false, root, logLevel: 'error', build: { ...preload.build, outDir, rollupOptions } });
  const files = readdirSync(outDir).filter((name) => !name.endsWith('.map'));
  expect(files).toEqual(['index.cjs']);
  const code = readFileSync(join(outDir, 'index.cjs'), 'utf8');
  const required = [...code.matchAll(/\brequire\(["'`]([^"'`]+)["'`]\)/g)].map(([, name]) => name!);
  expect(required).toContain('electron');
  expect(required.filter((name) => !ALLOWED.includes(name))).toEqual([]);
  expect(code).not.toMatch(/^\s*(import|export)\b/m);
});
