// Where Electron's runtime is, told without loading the electron package: loading it downloads the runtime, and declares a newer
// Node than the rest of Velescope needs.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const packageDirectory = join(import.meta.dirname, '..', 'node_modules', 'electron');

/** The path of the runtime's executable, or null when it was never fetched. */
export function electronExecutable() {
  let name;
  try {
    name = readFileSync(join(packageDirectory, 'path.txt'), 'utf8').trim();
  } catch {
    name = null;
  }
  const override = process.env.ELECTRON_OVERRIDE_DIST_PATH;
  const path = override ? join(override, name ?? 'electron') : name && join(packageDirectory, 'dist', name);
  return path && existsSync(path) ? path : null;
}

/**
 * Lets Electron's own installer fetch the runtime.
 *
 * @param {number} milliseconds how long it may take
 * @returns {string | null} why it failed, in a few words; null when the runtime is there
 */
export function fetchElectron(milliseconds) {
  const installer = join(packageDirectory, 'install.js');
  if (!existsSync(installer)) return 'the electron package is not installed';
  const run = spawnSync(process.execPath, [installer], { timeout: milliseconds, encoding: 'utf8', stdio: 'pipe' });
  if (electronExecutable()) return null;
  if (run.error?.code === 'ETIMEDOUT') return `not fetched within ${Math.round(milliseconds / 1000)} seconds`;
  const reason = /^\s*(?:\w*Error|Error \[\w+\]): (.*)$/m.exec(run.stderr)?.[1] ?? `installer ended with ${run.status}`;
  return reason.slice(0, 200);
}

/** Whether there is a display to open a window on. */
export function hasDisplay() {
  if (process.platform !== 'linux') return true;
  return Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY);
}
