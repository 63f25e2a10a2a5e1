import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Fault, FaultyFiles, PowerGone } from './faulty-files.ts';
import { appendFully, statusOrNull } from './files.ts';
import { filesContract } from './files-contract.ts';
import { MemoryFiles } from './memory-files.ts';
import { nodeFiles } from './node-files.ts';

const text = (value: string) => new TextEncoder().encode(value);
const read = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

function inMemory() {
  const files = new MemoryFiles();
  files.makeDirectory('/data');
  files.settle();
  return { files, root: '/data', dispose: () => {} };
}

filesContract('node', () => {
  const root = fs.mkdtempSync(join(tmpdir(), 'velescope-files-'));
  return { files: nodeFiles, root, dispose: () => fs.rmSync(root, { recursive: true }) };
});
filesContract('memory', inMemory);
filesContract('faulty, without a fault', () => {
  const { files, root, dispose } = inMemory();
  return { files: new FaultyFiles(files), root, dispose };
});

describe('node files', () => {
  it.skipIf(process.platform === 'win32')('never wait for the other end of a named pipe', () => {
    const root = fs.mkdtempSync(join(tmpdir(), 'velescope-fifo-'));
    const path = join(root, 'pipe');
    execFileSync('mkfifo', [path]);
    for (const mode of ['read', 'append'] as const) {
      expect(() => nodeFiles.open(path, mode)).toThrow(/named pipe/);
    }
    expect(nodeFiles.status(path).kind).toBe('fifo');
    fs.rmSync(root, { recursive: true });
  });

  it.skipIf(process.platform === 'win32')('refuse a device and follow a symbolic link', () => {
    const root = fs.mkdtempSync(join(tmpdir(), 'velescope-link-'));
    expect(() => nodeFiles.open('/dev/zero', 'read')).toThrow(/device/);
    fs.symlinkSync('/dev/zero', join(root, 'zero'));
    expect(() => nodeFiles.open(join(root, 'zero'), 'append')).toThrow(/device/);
    fs.writeFileSync(join(root, 'real'), 'abc');
    fs.symlinkSync('real', join(root, 'link'));
    expect(read(nodeFiles.readWhole(join(root, 'link')))).toBe('abc');
    expect(nodeFiles.list(root).map(({ name, kind }) => `${name} ${kind}`)).toEqual([
      'link link',
      'real file',
      'zero link',
    ]);
    fs.rmSync(root, { recursive: true });
  });
});

describe('what a disk may hold after a crash', () => {
  function states(files: MemoryFiles, path: string): Set<string> {
    const found = new Set<string>();
    for (const state of files.crashStates()) {
      found.add(statusOrNull(state, path) === null ? 'no file' : read(state.readWhole(path)));
    }
    return found;
  }

  function append(files: MemoryFiles, path: string, content: string) {
    const file = files.open(path, 'append');
    appendFully(file, text(content), 0, content.length);
    return file;
  }

  it('is certain after sync and directory sync', () => {
    const { files } = inMemory();
    append(files, '/data/a', 'xy').sync();
    expect(states(files, '/data/a')).toEqual(new Set(['no file', 'xy']));
    files.syncDirectory('/data');
    expect(states(files, '/data/a')).toEqual(new Set(['xy']));
  });

  it('loses, tears and zero-fills unsynced writes, in any order', () => {
    const { files } = inMemory();
    files.put('/data/a', text('A'));
    append(files, '/data/a', 'bc');
    append(files, '/data/a', 'd');
    expect(states(files, '/data/a')).toEqual(
      new Set(['A', 'Ab', 'Abc', 'A\0\0', 'Ab\0', 'Abcd', 'Abc\0', 'A\0\0d', 'Ab\0d', 'A\0\0\0']),
    );
  });

  it('undoes a rename until the directory is synced', () => {
    const { files } = inMemory();
    files.put('/data/a', text('old'));
    files.put('/data/b', text('new'));
    files.rename('/data/b', '/data/a');
    expect(states(files, '/data/a')).toEqual(new Set(['old', 'new']));
    files.syncDirectory('/data');
    expect(states(files, '/data/a')).toEqual(new Set(['new']));
  });

  it('does not trust a sync after one that failed', () => {
    const { files } = inMemory();
    files.put('/data/a', text('A'));
    const faulty = new FaultyFiles(files, (call) => (call.kind === 'sync' ? fault : null));
    let fault: Fault | null = { type: 'error', code: 'EIO' };
    const file = faulty.open('/data/a', 'append');
    appendFully(file, text('b'), 0, 1);
    expect(() => file.sync()).toThrow(/EIO/);
    fault = null;
    file.sync();
    expect(states(files, '/data/a')).toEqual(new Set(['A', 'Ab', 'A\0']));
    file.truncate(1);
    file.sync();
    expect(states(files, '/data/a')).toEqual(new Set(['A']));
  });
});

describe('faulty files', () => {
  it('record every call and fail the one asked for', () => {
    const { files } = inMemory();
    const faulty = new FaultyFiles(files, (call) => (call.index === 1 ? { type: 'error', code: 'ENOSPC' } : null));
    const file = faulty.open('/data/a', 'append');
    expect(() => file.append(text('ab'), 0, 2)).toThrow(/ENOSPC/);
    expect(file.append(text('ab'), 0, 2)).toBe(2);
    expect(faulty.calls.map(({ kind, detail }) => [kind, detail])).toEqual([
      ['open', 'append'],
      ['append', 2],
      ['append', 2],
    ]);
    expect(read(files.readWhole('/data/a'))).toBe('ab');
  });

  it('cut writes short, flip a bit of a read, and let a failed call have happened', () => {
    const { files } = inMemory();
    const faults: Record<number, Fault> = {
      1: { type: 'short' },
      3: { type: 'flip' },
      4: { type: 'error', code: 'EIO', happened: true },
    };
    const faulty = new FaultyFiles(files, (call) => faults[call.index] ?? null);
    const file = faulty.open('/data/a', 'append');
    appendFully(file, text('abcd'), 0, 4);
    const into = new Uint8Array(4);
    file.read(into, 0, 4, 0);
    expect(read(into)).toBe('abbd');
    expect(() => file.truncate(1)).toThrow(/EIO/);
    expect(read(files.readWhole('/data/a'))).toBe('a');
  });

  it('do nothing more once the power is gone', () => {
    const { files } = inMemory();
    const faulty = new FaultyFiles(files, (call) => (call.kind === 'append' ? { type: 'crash' } : null));
    const file = faulty.open('/data/a', 'append');
    expect(() => file.append(text('a'), 0, 1)).toThrow(PowerGone);
    expect(() => faulty.list('/data')).toThrow(PowerGone);
    expect(files.status('/data/a').size).toBe(0);
  });
});
