import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeFiles } from '../engine/node-files.ts';
import { type CollectionEntry, inspectDirectory } from './directory.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'velescope-directory-'));
  writeFileSync(join(root, 'velesdb.lock'), '');
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

function put(name: string, files: Record<string, string>): string {
  const directory = join(root, name);
  mkdirSync(directory, { recursive: true });
  for (const [file, content] of Object.entries(files)) writeFileSync(join(directory, file), content);
  return directory;
}

function collections(): CollectionEntry[] {
  const inspected = inspectDirectory(nodeFiles, root);
  if (inspected.kind !== 'root') throw new Error(`a root is ${inspected.kind}`);
  return inspected.collections;
}

describe('a database root', () => {
  it('lists its collections by name, with what their names tell', () => {
    put('vectors', { 'config.json': '{"dimension":4,"metadata_only":false}', 'payloads.log': '12345' });
    put('facts', { 'config.json': '{"metadata_only":true}', 'payloads.log': '', 'payloads.snapshot': '' });
    put('graph', { 'config.json': '{"metadata_only":true,"graph_schema":{"schemaless":true}}' });
    put('no graph', { 'config.json': '{"graph_schema":null}' });
    put('not_a_collection', { 'readme.txt': '' });
    expect(collections()).toEqual([
      {
        name: 'facts',
        path: `${root}/facts`,
        isLink: false,
        kind: 'metadata',
        hasLog: true,
        logBytes: 0,
        hasSnapshot: true,
        hasConfig: true,
        isRecovered: false,
        problem: null,
      },
      {
        name: 'graph',
        path: `${root}/graph`,
        isLink: false,
        kind: 'graph',
        hasLog: false,
        logBytes: 0,
        hasSnapshot: false,
        hasConfig: true,
        isRecovered: false,
        problem: null,
      },
      {
        name: 'no graph',
        path: `${root}/no graph`,
        isLink: false,
        kind: 'vector',
        hasLog: false,
        logBytes: 0,
        hasSnapshot: false,
        hasConfig: true,
        isRecovered: false,
        problem: null,
      },
      {
        name: 'vectors',
        path: `${root}/vectors`,
        isLink: false,
        kind: 'vector',
        hasLog: true,
        logBytes: 5,
        hasSnapshot: false,
        hasConfig: true,
        isRecovered: false,
        problem: null,
      },
    ]);
  });

  it.each([
    ['a missing configuration', null, 'CONFIG_MISSING', 'unknown'],
    ['an empty one', '', 'CONFIG_BROKEN', 'unknown'],
    ['one cut off', '{"name":"x",', 'CONFIG_BROKEN', 'unknown'],
    ['one with a byte order mark', '\ufeff{}', 'CONFIG_BROKEN', 'unknown'],
    ['one that is no object', '[]', 'CONFIG_BROKEN', 'unknown'],
    ['a schema version that is no whole number', '{"schema_version":"2"}', 'CONFIG_BROKEN', 'vector'],
    [
      'a schema version above what releases accept',
      '{"schema_version":3,"metadata_only":true}',
      'SCHEMA_TOO_NEW',
      'metadata',
    ],
    ['the newest schema version', '{"schema_version":2}', undefined, 'vector'],
    ['schema version 0', '{"schema_version":0}', undefined, 'vector'],
  ])('says why VelesDB passes a collection over: %s', (_name, config, code, kind) => {
    put('c', { 'payloads.log': '', ...(config === null ? {} : { 'config.json': config }) });
    const [entry] = collections();
    expect(entry!.problem?.code).toBe(code);
    expect(entry!.kind).toBe(kind);
  });

  it('says which releases accept which schema version', () => {
    put('c', { 'config.json': '{"schema_version":3}' });
    expect(collections()[0]!.problem?.message).toMatch(/is 3, .* accepts 2 at most, and 1\.13 to 2\.0 only 1/);
  });

  it('tells what a recovery wrote from a collection whose configuration is missing', () => {
    const recovered = { 'payloads.log': '', 'recovery-report.json': '{}' };
    put('copy', recovered);
    mkdirSync(join(root, 'copy', 'evidence'));
    writeFileSync(join(root, 'copy', 'evidence', 'index.json'), '{}');
    put('only a report', recovered);
    put('unfinished', { 'payloads.log': '', 'recovery.incomplete': '' });
    expect(collections().map(({ name, isRecovered, problem }) => [name, isRecovered, problem?.code])).toEqual([
      ['copy', true, undefined],
      ['only a report', false, 'CONFIG_MISSING'],
      ['unfinished', false, 'RECOVERY_INCOMPLETE'],
    ]);
    // Made a collection of its own by hand, it is one.
    writeFileSync(join(root, 'copy', 'config.json'), '{"metadata_only":true}');
    expect(collections()[0]).toMatchObject({ isRecovered: false, kind: 'metadata', problem: null });
  });

  it('does not wait for a FIFO, read a directory or follow a circle', () => {
    put('directory', { 'config.json': '{}' });
    mkdirSync(join(root, 'directory', 'payloads.log'));
    put('circle', { 'config.json': '{}' });
    symlinkSync('payloads.log', join(root, 'circle', 'payloads.log'));
    put('dangling', { 'config.json': '{}' });
    symlinkSync('/nowhere', join(root, 'dangling', 'payloads.log'));
    const expected: Record<string, string | undefined> = {
      circle: 'LOG_NOT_A_FILE',
      dangling: undefined,
      directory: 'LOG_NOT_A_FILE',
    };
    if (process.platform !== 'win32') {
      for (const file of ['config.json', 'payloads.log', 'payloads.snapshot']) {
        execFileSync('mkfifo', [join(put(`fifo ${file}`, {}), file)]);
      }
      expected['fifo config.json'] = 'CONFIG_BROKEN';
      expected['fifo payloads.log'] = 'LOG_NOT_A_FILE';
      expected['fifo payloads.snapshot'] = 'CONFIG_MISSING';
    }
    expect(Object.fromEntries(collections().map(({ name, problem }) => [name, problem?.code]))).toEqual(expected);
  });

  it('marks a collection that is a link', () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'velescope-elsewhere-'));
    try {
      writeFileSync(join(elsewhere, 'payloads.log'), '');
      symlinkSync(elsewhere, join(root, 'linked'));
      expect(collections()).toEqual([expect.objectContaining({ name: 'linked', isLink: true })]);
    } finally {
      rmSync(elsewhere, { recursive: true });
    }
  });

  it('is also a directory without a lock file, when a child is configured', () => {
    rmSync(join(root, 'velesdb.lock'));
    put('c', { 'payloads.log': '' });
    expect(inspectDirectory(nodeFiles, root).kind).toBe('neither');
    put('d', { 'config.json': '{}' });
    expect(collections().map(({ name }) => name)).toEqual(['c', 'd']);
  });

  it('is left exactly as it was', () => {
    const directory = put('c', { 'config.json': '{}' });
    inspectDirectory(nodeFiles, root);
    inspectDirectory(nodeFiles, directory);
    expect(readdirSync(directory)).toEqual(['config.json']);
    expect(readdirSync(root)).toEqual(['c', 'velesdb.lock']);
  });
});

describe('a collection named itself', () => {
  it('lacks a configuration only where it belongs to a database', () => {
    const inside = put('c', { 'payloads.log': '' });
    expect(inspectDirectory(nodeFiles, inside)).toMatchObject({
      kind: 'collection',
      collection: { name: 'c', path: inside, problem: { code: 'CONFIG_MISSING' } },
    });
    rmSync(join(root, 'velesdb.lock'));
    expect(inspectDirectory(nodeFiles, inside)).toMatchObject({ collection: { problem: null } });
  });
});

describe('a path', () => {
  it('that leads nowhere, or to a file, is an error', () => {
    expect(() => inspectDirectory(nodeFiles, join(root, 'missing'))).toThrow(
      expect.objectContaining({ code: 'NOT_FOUND' }),
    );
    expect(() => inspectDirectory(nodeFiles, join(root, 'velesdb.lock'))).toThrow(
      expect.objectContaining({ code: 'NOT_A_DIRECTORY' }),
    );
  });
});
