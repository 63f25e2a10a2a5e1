import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findDesktopRuntime } from './electron-runtime.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'velescope-runtime-'));
  mkdirSync(join(root, 'out', 'cli'), { recursive: true });
  writeFileSync(join(root, 'package.json'), '{}');
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

const find = (environment: NodeJS.ProcessEnv, user = 1000) =>
  findDesktopRuntime(join(root, 'out', 'cli'), environment, 'linux', user);

function install(files: Record<string, string>): void {
  for (const [path, content] of Object.entries({ 'package.json': '{}', ...files })) {
    const target = join(root, 'node_modules', 'electron', path);
    mkdirSync(join(target, '..'), { recursive: true });
    writeFileSync(target, content);
  }
}

describe('findDesktopRuntime', () => {
  it('finds the executable that the installer named, and the application around this package', () => {
    install({ 'path.txt': 'electron\n', 'dist/electron': '' });
    expect(find({ DISPLAY: ':0' })).toEqual({
      executable: join(root, 'node_modules', 'electron', 'dist', 'electron'),
      application: root,
    });
  });

  it('takes a runtime kept elsewhere', () => {
    install({});
    writeFileSync(join(root, 'electron'), '');
    expect(find({ WAYLAND_DISPLAY: 'wayland-0', ELECTRON_OVERRIDE_DIST_PATH: root })).toMatchObject({
      executable: join(root, 'electron'),
    });
  });

  it.each([
    ['no display', {}, 1000, { 'path.txt': 'electron', 'dist/electron': '' }, 'there is no display'],
    ['root', { DISPLAY: ':0' }, 0, { 'path.txt': 'electron', 'dist/electron': '' }, 'does not run as root'],
    ['a runtime never fetched', { DISPLAY: ':0' }, 1000, {}, 'never fetched'],
    ['a runtime that was removed', { DISPLAY: ':0' }, 1000, { 'path.txt': 'electron' }, 'never fetched'],
  ])('says why there is none: %s', (_name, environment, user, files, why) => {
    install(files as Record<string, string>);
    expect(find(environment, user)).toContain(why);
  });
});
