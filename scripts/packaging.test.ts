import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const require = createRequire(import.meta.url);
const builder = createRequire(require.resolve('app-builder-lib'));
const fuses = builder('@electron/fuses') as typeof import('@electron/fuses');
const { getConfig, validateConfiguration } = builder('app-builder-lib/out/util/config/config') as {
  getConfig(directory: string, path: string | null, options: null): Promise<Record<string, unknown>>;
  validateConfiguration(configuration: unknown, logger: unknown): Promise<void>;
};

/** What the application is packaged with; each reason is in docs/security.md. */
const FUSES = {
  runAsNode: false,
  enableNodeOptionsEnvironmentVariable: false,
  enableNodeCliInspectArguments: false,
  onlyLoadAppFromAsar: true,
  enableEmbeddedAsarIntegrityValidation: true,
  grantFileProtocolExtraPrivileges: false,
  enableCookieEncryption: true,
  loadBrowserProcessSpecificV8Snapshot: false,
};

describe('the packaging configuration', () => {
  test('is one that electron-builder accepts', async () => {
    const configuration = await getConfig(root, 'electron-builder.yml', null);
    const logger = { isEnabled: false, add: () => {} };
    await expect(validateConfiguration(configuration, logger)).resolves.toBeUndefined();
    await expect(validateConfiguration({ ...configuration, electronFuse: {} }, logger)).rejects.toThrow();
  });

  test('sets every fuse', async () => {
    expect((await getConfig(root, 'electron-builder.yml', null)).electronFuses).toEqual(FUSES);
  });

  test('packs into an archive, which the fuses ask for', async () => {
    expect((await getConfig(root, 'electron-builder.yml', null)).asar).toBe(true);
  });

  test('ships no source maps and no sources', async () => {
    const { files } = await getConfig(root, 'electron-builder.yml', null);
    expect(files).toEqual([{ filter: ['out/**', 'package.json', '!**/*.map'] }]);
  });
});

describe('reading the fuses back', () => {
  let directory: string;
  let binary: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'velescope-fuses-'));
    binary = join(directory, 'velescope');
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  /** The bytes in which Electron keeps its fuses: the marker, version 1, eight fuses, each at its default. */
  const unflipped = Buffer.concat([
    Buffer.from('…dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX'),
    Buffer.from([1, 8]),
    Buffer.from('10110101'),
    Buffer.from('…'),
  ]);

  const readFuses = (...parameters: string[]) =>
    spawnSync(process.execPath, [join(root, 'scripts', 'read-fuses.mjs'), ...parameters], { encoding: 'utf8' });

  /** Flips them as electron-builder does. */
  const flip = (wanted: typeof FUSES) =>
    fuses.flipFuses(binary, {
      version: fuses.FuseVersion.V1,
      [fuses.FuseV1Options.RunAsNode]: wanted.runAsNode,
      [fuses.FuseV1Options.EnableCookieEncryption]: wanted.enableCookieEncryption,
      [fuses.FuseV1Options.EnableNodeOptionsEnvironmentVariable]: wanted.enableNodeOptionsEnvironmentVariable,
      [fuses.FuseV1Options.EnableNodeCliInspectArguments]: wanted.enableNodeCliInspectArguments,
      [fuses.FuseV1Options.EnableEmbeddedAsarIntegrityValidation]: wanted.enableEmbeddedAsarIntegrityValidation,
      [fuses.FuseV1Options.OnlyLoadAppFromAsar]: wanted.onlyLoadAppFromAsar,
      [fuses.FuseV1Options.LoadBrowserProcessSpecificV8Snapshot]: wanted.loadBrowserProcessSpecificV8Snapshot,
      [fuses.FuseV1Options.GrantFileProtocolExtraPrivileges]: wanted.grantFileProtocolExtraPrivileges,
    });

  test('is content with a binary whose fuses were flipped', async () => {
    writeFileSync(binary, unflipped);
    await flip(FUSES);
    const run = readFuses(binary);
    expect([run.status, run.stdout]).toEqual([0, expect.not.stringContaining('WRONG')]);
    expect(readFileSync(binary)).not.toEqual(unflipped);
  });

  test('refuses one that was not touched, and one with a single fuse wrong', async () => {
    writeFileSync(binary, unflipped);
    expect(readFuses(binary).status).toBe(1);
    await flip({ ...FUSES, runAsNode: true });
    const run = readFuses(binary);
    expect(run.status).toBe(1);
    expect(run.stdout.match(/^WRONG.*$/gm)).toEqual([expect.stringContaining('runAsNode is on, asked for off')]);
  });

  test('refuses to say anything of nothing', () => {
    expect(readFuses().status).toBe(1);
  });
});
