import * as fs from 'node:fs';
import type { DirectoryEntry, FileKind, FileStatus, Files, OpenFile, OpenMode } from './files.ts';
import { READ_WHOLE_LIMIT, readFully, requireFile, requireLimit, systemCode, systemError } from './files.ts';
import { tryLockDescriptor, unlockDescriptor } from './flock.ts';

/** Without O_NONBLOCK, opening a FIFO that nobody writes to would never return. */
const NOT_BLOCKING = fs.constants.O_NONBLOCK ?? 0;

/** Node refuses to read or write 2 GiB or more at once; callers go on after a short read or write anyway. */
const MOST_AT_ONCE = 2 ** 30;

const FLAGS: Readonly<Record<OpenMode, number>> = {
  read: fs.constants.O_RDONLY | NOT_BLOCKING,
  append: fs.constants.O_RDWR | fs.constants.O_APPEND | fs.constants.O_CREAT | NOT_BLOCKING,
  overwrite: fs.constants.O_RDWR | NOT_BLOCKING,
  // O_APPEND here too: `OpenFile.append` then means the same for every mode.
  create: fs.constants.O_RDWR | fs.constants.O_APPEND | fs.constants.O_CREAT | fs.constants.O_EXCL | NOT_BLOCKING,
};

/** The files of this machine. */
export const nodeFiles: Files = {
  open(path, mode) {
    // Looked at before opening because opening some devices already does something, and after because the path may
    // have changed hands in between.
    if (mode !== 'create') {
      const before = fs.statSync(path, { throwIfNoEntry: false });
      if (before !== undefined) requireFile(path, kindOf(before));
    }
    let descriptor: number;
    try {
      descriptor = fs.openSync(path, FLAGS[mode], 0o666);
    } catch (thrown) {
      // A FIFO opened for writing without a reader, or a socket.
      if (systemCode(thrown) === 'ENXIO') requireFile(path, 'fifo');
      throw thrown;
    }
    try {
      requireFile(path, kindOf(fs.fstatSync(descriptor)));
    } catch (thrown) {
      fs.closeSync(descriptor);
      throw thrown;
    }
    return new NodeFile(path, descriptor, mode);
  },

  status(path) {
    return toStatus(fs.statSync(path, { bigint: true }));
  },

  rename: fs.renameSync,
  link: fs.linkSync,

  copy(from, to) {
    requireFile(from, kindOf(fs.statSync(from)));
    fs.copyFileSync(from, to, fs.constants.COPYFILE_EXCL);
  },

  copyPermissions(from, to) {
    // Windows has neither; a new file takes the access list of its directory there.
    if (process.platform === 'win32') return;
    const model = fs.statSync(from);
    const { uid, gid } = fs.statSync(to);
    if (uid !== model.uid || gid !== model.gid) fs.chownSync(to, model.uid, model.gid);
    // After the owner, whose change may take bits of the mode away.
    fs.chmodSync(to, model.mode & 0o7777);
  },

  unlink: fs.unlinkSync,

  makeDirectory(path) {
    fs.mkdirSync(path, { recursive: true });
  },

  removeDirectory: fs.rmdirSync,

  watch(path, changed) {
    try {
      const watcher = fs.watch(path, { persistent: false }, changed);
      // A system out of watches, a file system without them, a removed file: then nobody tells of changes.
      watcher.on('error', () => watcher.close());
      return () => watcher.close();
    } catch {
      return null;
    }
  },

  list(path) {
    const entries = fs.readdirSync(path, { withFileTypes: true }).map((entry): DirectoryEntry => {
      return { name: entry.name, kind: entry.isSymbolicLink() ? 'link' : kindOf(entry) };
    });
    return entries.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  },

  syncDirectory(path) {
    // Windows cannot open a directory for this, and its file systems keep names with the journal.
    if (process.platform === 'win32') return;
    const descriptor = fs.openSync(path, fs.constants.O_RDONLY | (fs.constants.O_DIRECTORY ?? 0));
    try {
      fs.fsyncSync(descriptor);
    } finally {
      fs.closeSync(descriptor);
    }
  },

  freeSpace(path) {
    try {
      const { bavail, bsize } = fs.statfsSync(path);
      return bavail * bsize;
    } catch (thrown) {
      if (systemCode(thrown) === 'ENOSYS') return null;
      throw thrown;
    }
  },

  readWhole(path, limit = READ_WHOLE_LIMIT) {
    const file = nodeFiles.open(path, 'read');
    try {
      const size = file.size();
      requireLimit(path, size, limit);
      const bytes = new Uint8Array(size);
      return bytes.subarray(0, readFully(file, bytes, 0, size, 0));
    } finally {
      file.close();
    }
  },
};

const LAST_BYTE = new Uint8Array(2);

class NodeFile implements OpenFile {
  readonly path: string;
  #descriptor: number;
  readonly #mode: OpenMode;
  #lockedWhole: boolean | null = null;

  constructor(path: string, descriptor: number, mode: OpenMode) {
    this.path = path;
    this.#mode = mode;
    this.#descriptor = descriptor;
  }

  size(): number {
    return fs.fstatSync(this.#open()).size;
  }

  status(): FileStatus {
    return toStatus(fs.fstatSync(this.#open(), { bigint: true }));
  }

  hasSize(size: number): boolean {
    // The last byte is there and the one behind it is not: a third of the cost of fstat, whose answer Node makes an object
    // with dates of.
    const before = Math.min(size, 1);
    return fs.readSync(this.#open(), LAST_BYTE, 0, before + 1, size - before) === before;
  }

  read(into: Uint8Array, start: number, length: number, position: number): number {
    return fs.readSync(this.#open(), into, start, Math.min(length, MOST_AT_ONCE), position);
  }

  append(from: Uint8Array, start: number, length: number): number {
    if (this.#mode === 'overwrite') throw systemError('EBADF', `${this.path} is not open for appending`);
    return fs.writeSync(this.#open(), from, start, Math.min(length, MOST_AT_ONCE));
  }

  overwrite(from: Uint8Array, start: number, length: number, position: number): number {
    // A descriptor opened for appending would write at the end, whatever the position.
    if (this.#mode !== 'overwrite') throw systemError('EBADF', `${this.path} is not open for overwriting`);
    return fs.writeSync(this.#open(), from, start, length, position);
  }

  sync(): void {
    fs.fsyncSync(this.#open());
  }

  truncate(size: number): void {
    fs.ftruncateSync(this.#open(), size);
  }

  tryLock(whole: boolean): boolean {
    if (!tryLockDescriptor(this.#open(), whole)) return false;
    this.#lockedWhole = whole;
    return true;
  }

  unlock(): void {
    if (this.#lockedWhole === null) return;
    unlockDescriptor(this.#open(), this.#lockedWhole);
    this.#lockedWhole = null;
  }

  close(): void {
    if (this.#descriptor < 0) return;
    const descriptor = this.#descriptor;
    // First, because a descriptor whose close failed must not be closed again: its number may be someone else's.
    this.#descriptor = -1;
    fs.closeSync(descriptor);
  }

  #open(): number {
    if (this.#descriptor < 0) throw systemError('EBADF', `${this.path} is closed`);
    return this.#descriptor;
  }
}

interface Kinds {
  isFile(): boolean;
  isDirectory(): boolean;
  isFIFO(): boolean;
  isSocket(): boolean;
}

function kindOf(status: Kinds): FileKind {
  if (status.isFile()) return 'file';
  if (status.isDirectory()) return 'directory';
  if (status.isFIFO()) return 'fifo';
  return status.isSocket() ? 'socket' : 'device';
}

function toStatus(status: fs.BigIntStats): FileStatus {
  return {
    kind: kindOf(status),
    size: Number(status.size),
    device: status.dev,
    inode: status.ino,
    names: Number(status.nlink),
    modified: status.mtimeNs,
    changed: status.ctimeNs,
  };
}
