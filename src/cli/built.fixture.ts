import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'vite';

const ROOT = join(import.meta.dirname, '..', '..');

/**
 * Builds the command line alone, as the release build does it, and returns the path of its entry and of a directory to remove
 * afterwards. Inside node_modules, so that what is not bundled is found, and apart from out/, which a build may be emptying just now.
 */
export async function buildCommandLine(): Promise<{ entry: string; directory: string }> {
  const cache = join(ROOT, 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  const directory = mkdtempSync(join(cache, 'velescope-cli-'));
  await build({
    configFile: false,
    root: ROOT,
    logLevel: 'error',
    build: {
      ssr: join(ROOT, 'src', 'cli', 'index.ts'),
      outDir: directory,
      emptyOutDir: false,
      target: 'node20',
      minify: false,
      rollupOptions: {
        output: { format: 'es', entryFileNames: 'cli/index.js', chunkFileNames: 'chunks/[name]-[hash].js' },
      },
    },
  });
  return { entry: join(directory, 'cli', 'index.js'), directory };
}
