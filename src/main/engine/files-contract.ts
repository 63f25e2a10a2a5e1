import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Files } from './files.ts';
import { appendFully, readFully, statusOrNull, systemCode } from './files.ts';

/** Files to run the contract on, and an empty directory in them. */
export interface FilesUnderTest {
  files: Files;
  root: string;
  dispose(): void;
}

const text = (value: string) => new TextEncoder().encode(value);
const read = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (thrown) {
    return (thrown as { code?: string }).code ?? String(thrown);
  }
  return 'no error';
}

/** What every implementation of `Files` has to do, as tests. */
export function filesContract(name: string, make: () => FilesUnderTest): void {
  describe(`files: ${name}`, () => {
    let subject: FilesUnderTest;
    let files: Files;
    const at = (path: string) => `${subject.root}/${path}`;
    const write = (path: string, content: string) => {
      const file = files.open(at(path), 'append');
      appendFully(file, text(content), 0, text(content).length);
      file.close();
    };

    beforeEach(() => {
      subject = make();
      files = subject.files;
    });
    afterEach(() => subject.dispose());

    it('appends at the end and reads at a position', () => {
      const file = files.open(at('a'), 'append');
      appendFully(file, text('xhellox'), 1, 5);
      appendFully(file, text(' world'), 0, 6);
      expect(file.size()).toBe(11);
      const into = new Uint8Array(8);
      expect(readFully(file, into, 1, 5, 6)).toBe(5);
      expect(read(into.subarray(1, 6))).toBe('world');
      file.close();
      write('a', '!');
      expect(read(files.readWhole(at('a')))).toBe('hello world!');
    });

    it('writes over bytes that are there, and only where that was asked for', () => {
      write('a', 'abcdef');
      const file = files.open(at('a'), 'overwrite');
      expect(file.overwrite(text('xYZx'), 1, 2, 2)).toBe(2);
      expect(read(files.readWhole(at('a')))).toBe('abYZef');
      expect(codeOf(() => file.append(text('x'), 0, 1))).toBe('EBADF');
      file.close();
      const appending = files.open(at('a'), 'append');
      expect(codeOf(() => appending.overwrite(text('x'), 0, 1, 0))).toBe('EBADF');
      appending.close();
      expect(codeOf(() => files.open(at('missing'), 'overwrite'))).toBe('ENOENT');
    });

    it('reads fewer bytes only where the file ends, and none behind it', () => {
      write('a', 'abc');
      const file = files.open(at('a'), 'read');
      expect(file.read(new Uint8Array(10), 0, 10, 1)).toBe(2);
      expect(file.read(new Uint8Array(10), 0, 10, 3)).toBe(0);
      expect(file.read(new Uint8Array(10), 0, 10, 99)).toBe(0);
      file.close();
    });

    it('refuses to write to a file opened for reading', () => {
      write('a', 'abc');
      const file = files.open(at('a'), 'read');
      expect(codeOf(() => file.append(text('x'), 0, 1))).toBe('EBADF');
      expect(file.size()).toBe(3);
      file.close();
    });

    it('creates nothing when opened for reading', () => {
      expect(codeOf(() => files.open(at('missing'), 'read'))).toBe('ENOENT');
      expect(files.list(subject.root)).toEqual([]);
    });

    it('creates a file only where the name is free', () => {
      const file = files.open(at('new'), 'create');
      appendFully(file, text('one'), 0, 3);
      file.close();
      expect(codeOf(() => files.open(at('new'), 'create'))).toBe('EEXIST');
      expect(read(files.readWhole(at('new')))).toBe('one');
    });

    it('opens regular files only', () => {
      files.makeDirectory(at('directory'));
      expect(codeOf(() => files.open(at('directory'), 'read'))).toBe('NOT_A_FILE');
      expect(codeOf(() => files.open(at('directory'), 'append'))).toBe('NOT_A_FILE');
      expect(codeOf(() => files.readWhole(at('directory')))).toBe('NOT_A_FILE');
    });

    it('truncates, and appends behind the new end', () => {
      const file = files.open(at('a'), 'append');
      appendFully(file, text('abcdef'), 0, 6);
      file.truncate(2);
      expect(file.size()).toBe(2);
      appendFully(file, text('X'), 0, 1);
      file.sync();
      file.close();
      expect(read(files.readWhole(at('a')))).toBe('abX');
    });

    it('sees through an open file that it grew, shrank, or is as it was', () => {
      const file = files.open(at('a'), 'append');
      expect(file.hasSize(0)).toBe(true);
      expect(file.hasSize(1)).toBe(false);
      write('a', 'abc');
      expect([0, 1, 2, 3, 4].map((size) => file.hasSize(size))).toEqual([false, false, false, true, false]);
      file.truncate(2);
      expect([1, 2, 3].map((size) => file.hasSize(size))).toEqual([false, true, false]);
      file.close();
    });

    it('names a file by device and inode, whatever its path', () => {
      write('a', 'abc');
      const file = files.open(at('a'), 'read');
      const before = file.status();
      expect(before).toMatchObject({ kind: 'file', size: 3, names: 1 });
      files.link(at('a'), at('b'));
      expect(files.status(at('b'))).toMatchObject({ inode: before.inode, device: before.device, names: 2 });
      files.rename(at('a'), at('c'));
      expect(files.status(at('c')).inode).toBe(before.inode);
      write('a', 'new');
      expect(files.status(at('a')).inode).not.toBe(before.inode);
      file.close();
    });

    it('renames over an existing file in one step', () => {
      write('a', 'new');
      write('b', 'old');
      files.rename(at('a'), at('b'));
      files.syncDirectory(subject.root);
      expect(files.list(subject.root)).toEqual([{ name: 'b', kind: 'file' }]);
      expect(read(files.readWhole(at('b')))).toBe('new');
      expect(codeOf(() => files.rename(at('a'), at('b')))).toBe('ENOENT');
    });

    it('links and copies only to a free name', () => {
      write('a', 'abc');
      files.copy(at('a'), at('copy'));
      files.link(at('a'), at('link'));
      write('a', 'd');
      expect(read(files.readWhole(at('copy')))).toBe('abc');
      expect(read(files.readWhole(at('link')))).toBe('abcd');
      expect(codeOf(() => files.copy(at('a'), at('copy')))).toBe('EEXIST');
      expect(codeOf(() => files.link(at('a'), at('copy')))).toBe('EEXIST');
      expect(codeOf(() => files.link(at('missing'), at('x')))).toBe('ENOENT');
      expect(codeOf(() => files.copy(at('missing'), at('x')))).toBe('ENOENT');
    });

    it('copies permissions between files that are there', () => {
      write('a', 'abc');
      write('b', 'b');
      files.copyPermissions(at('a'), at('b'));
      expect(read(files.readWhole(at('b')))).toBe('b');
      expect(codeOf(() => files.copyPermissions(at('missing'), at('b')))).toBe('ENOENT');
      expect(codeOf(() => files.copyPermissions(at('a'), at('missing')))).toBe('ENOENT');
    });

    it('keeps an unlinked file readable while it is open', () => {
      write('a', 'abc');
      const file = files.open(at('a'), 'read');
      files.unlink(at('a'));
      expect(file.status().names).toBe(0);
      expect(file.read(new Uint8Array(3), 0, 3, 0)).toBe(3);
      file.close();
      expect(statusOrNull(files, at('a'))).toBeNull();
      expect(codeOf(() => files.unlink(at('a')))).toBe('ENOENT');
    });

    it('makes directories with their parents and lists them by name', () => {
      files.makeDirectory(at('x/y'));
      files.makeDirectory(at('x/y'));
      write('x/b', '');
      write('x/a', '');
      expect(files.list(at('x'))).toEqual([
        { name: 'a', kind: 'file' },
        { name: 'b', kind: 'file' },
        { name: 'y', kind: 'directory' },
      ]);
      expect(files.status(at('x')).kind).toBe('directory');
      expect(codeOf(() => files.list(at('nowhere')))).toBe('ENOENT');
      expect(codeOf(() => files.list(at('x/a')))).toBe('ENOTDIR');
      expect(codeOf(() => files.status(at('x/a/z')))).toBe('ENOTDIR');
      expect(statusOrNull(files, at('x/a/z'))).toBeNull();
    });

    it('removes a directory only when it is empty', () => {
      files.makeDirectory(at('x/y'));
      expect(codeOf(() => files.removeDirectory(at('x')))).toBe('ENOTEMPTY');
      files.removeDirectory(at('x/y'));
      files.removeDirectory(at('x'));
      expect(files.list(subject.root)).toEqual([]);
      expect(codeOf(() => files.removeDirectory(at('x')))).toBe('ENOENT');
    });

    it('bounds what is read as one piece', () => {
      write('a', 'abcdef');
      expect(codeOf(() => files.readWhole(at('a'), 5))).toBe('TOO_LARGE');
      expect(files.readWhole(at('a'), 6).length).toBe(6);
    });

    it('gives the lock to one open file at a time', () => {
      write('a', 'abc');
      const first = files.open(at('a'), 'append');
      const second = files.open(at('a'), 'append');
      expect(first.tryLock(false)).toBe(true);
      expect(second.tryLock(false)).toBe(false);
      first.unlock();
      expect(second.tryLock(false)).toBe(true);
      expect(first.tryLock(false)).toBe(false);
      second.close();
      expect(first.tryLock(true)).toBe(true);
      first.close();
      first.close();
      expect(codeOf(() => first.size())).toBe('EBADF');
    });

    it('knows the free space, or that it does not', () => {
      const free = files.freeSpace(subject.root);
      expect(free === null || free > 0).toBe(true);
    });

    it('gives system errors a code', () => {
      let thrown: unknown;
      try {
        files.status(at('missing'));
      } catch (error) {
        thrown = error;
      }
      expect(systemCode(thrown)).toBe('ENOENT');
      expect(systemCode(new Error('other'))).toBeNull();
    });
  });
}
