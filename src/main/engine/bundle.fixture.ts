import { mkdtempSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build } from 'vite';

const ROOT = new URL('../../../', import.meta.url).pathname;

/**
 * Builds a TypeScript program of this project, given by its path from the project's root, into one that Node runs. Returns the
 * program's path and how to remove it. It lies under node_modules, so that packages are found from it and nothing else sees it.
 */
export async function bundle(entry: string): Promise<{ program: string; remove: () => void }> {
  const outDir = mkdtempSync(join(ROOT, 'node_modules', '.velescope-'));
  await build({
    configFile: false,
    root: ROOT,
    logLevel: 'error',
    build: { ssr: entry, outDir, minify: false, rollupOptions: { output: { entryFileNames: '[name].mjs' } } },
  });
  const program = join(outDir, basename(entry).replace(/\.ts$/, '.mjs'));
  return { program, remove: () => rmSync(outDir, { recursive: true, force: true }) };
}
