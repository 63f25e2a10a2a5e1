// Builds when a source is newer than what is built.
import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const BUILT = ['out/main/index.js', 'out/cli/index.js', 'out/preload/index.cjs', 'out/renderer/index.html'];
const CONFIGURATION = ['package.json', 'package-lock.json', 'electron.vite.config.ts'];

/** When a file was last changed, in milliseconds; 0 when it is not there. */
function changed(path) {
  return statSync(join(root, path), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** Whether the build is older than any source, or not there. */
export function isStale() {
  const built = Math.min(...BUILT.map(changed));
  if (CONFIGURATION.some((path) => changed(path) > built)) return true;
  return readdirSync(join(root, 'src'), { recursive: true })
    .filter((path) => !/\.test\.tsx?$/.test(path))
    .some((path) => changed(join('src', path)) > built);
}

/** Builds everything. Returns the build's exit status. */
export function build() {
  const cli = join(root, 'node_modules', 'electron-vite', 'bin', 'electron-vite.js');
  return (
    spawnSync(process.execPath, [cli, 'build'], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] }).status ?? 1
  );
}
