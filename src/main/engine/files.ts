import { VelescopeError } from '../../shared/errors.ts';

/**
 * All file access of the engine goes through this one interface, so that the same engine runs on the disk
 * (node-files.ts), on a model of what a disk may hold after a crash (memory-files.ts) and with failures injected
 * (faulty-files.ts). It is synchronous: the engine lives in a worker thread, where an awaited read costs many times a
 * direct one. `files-contract.ts` says what every implementation has to do.
 *
 * Failures are thrown as Node's system errors are: an Error whose `code` is ENOENT, EACCES, ENOSPC, EIO, EEXIST, …
 * Opening anything but a regular file is a VelescopeError NOT_A_FILE.
 */

export type FileKind = 'file' | 'directory' | 'fifo' | 'socket' | 'device';

export interface FileStatus {
  readonly kind: FileKind;
  /** Bytes. */
  readonly size: number;
  /** Device and inode together name a file, whatever its path; bigint because both may pass 2^53. */
  readonly device: bigint;
  readonly inode: bigint;
  /** How many names the file has; 0 once the last one is gone while it is still open. */
  readonly names: number;
  /** Nanoseconds since 1970, as exact as the system has them: when the content was last written. */
  readonly modified: bigint;
  /** The same of content or properties; no program can set it back. */
  readonly changed: bigint;
}

/** Whether two statuses are of the same file, and nobody wrote to it in between. */
export function isUntouched(before: FileStatus, now: FileStatus): boolean {
  return (
    before.device === now.device &&
    before.inode === now.inode &&
    before.size === now.size &&
    before.modified === now.modified &&
    before.changed === now.changed
  );
}

export interface DirectoryEntry {
  readonly name: string;
  /** Of the entry itself: a symbolic link is not followed. */
  readonly kind: FileKind | 'link';
}

/**
 * `read`: an existing file, for reading. `append`: reading, and writing always at the end; created when missing.
 * `create`: the same with a new file; EEXIST when the name is taken. `overwrite`: an existing file, for reading and for
 * writing over bytes it has.
 */
export type OpenMode = 'read' | 'append' | 'create' | 'overwrite';

export interface OpenFile {
  readonly path: string;
  /** Current size in bytes. */
  size(): number;
  status(): FileStatus;
  /** Whether the file has exactly this size: as `size() === size`, but quicker, because it runs before every write. */
  hasSize(size: number): boolean;
  /** Reads at `position` into `into[start, start + length)`. Returns the bytes read, fewer only where the file ends. */
  read(into: Uint8Array, start: number, length: number, position: number): number;
  /** Writes `from[start, start + length)` at the end of the file. Returns the bytes written, which may be fewer. */
  append(from: Uint8Array, start: number, length: number): number;
  /** Writes `from[start, start + length)` at `position`, in mode `overwrite` only. Returns the bytes written, maybe fewer. */
  overwrite(from: Uint8Array, start: number, length: number, position: number): number;
  /** Makes everything written, and the size, durable (fsync). Says nothing of the file's name: see `syncDirectory`. */
  sync(): void;
  truncate(size: number): void;
  /**
   * Takes the exclusive lock that VelesDB's processes understand (flock, LockFileEx), without waiting; false when another
   * open file holds it, also one of this process. Held until `unlock` or `close`. LOCK_UNAVAILABLE where this system
   * offers none. `whole` locks as VelesDB locks `velesdb.lock`; without it, so that a reader on Windows is not kept out.
   */
  tryLock(whole: boolean): boolean;
  unlock(): void;
  /** May be called twice. */
  close(): void;
}

export interface Files {
  open(path: string, mode: OpenMode): OpenFile;
  /** Of what the path leads to, symbolic links followed. ENOENT when there is nothing. */
  status(path: string): FileStatus;
  /** Replaces what `to` names, in one step. */
  rename(from: string, to: string): void;
  /** Gives a file a second name; EEXIST when it is taken. */
  link(existing: string, path: string): void;
  /** Copies the bytes into a new file; EEXIST when the name is taken. Not synced. */
  copy(from: string, to: string): void;
  /** Gives `to` the owner, group and mode of `from`. Nothing where the system has no such thing. */
  copyPermissions(from: string, to: string): void;
  unlink(path: string): void;
  /** With its missing parents; an existing directory is no error. */
  makeDirectory(path: string): void;
  /** Removes an empty directory; ENOTEMPTY where something is in it. */
  removeDirectory(path: string): void;
  /** Sorted by name in code unit order. */
  list(path: string): DirectoryEntry[];
  /** Makes names made, changed or removed in the directory durable. Nothing where the system has no such thing. */
  syncDirectory(path: string): void;
  /** Bytes that can still be written there, null where unknown. */
  freeSpace(path: string): number | null;
  /**
   * Calls `changed` when the file at the path may have changed, some time later and maybe more than once. Returns how to end that; null
   * where nobody tells of changes. Not to be relied on: changes from other machines and in some containers go unnoticed.
   */
  watch(path: string, changed: () => void): (() => void) | null;
  /** The whole content. TOO_LARGE above `limit` bytes, before anything is read. */
  readWhole(path: string, limit?: number): Uint8Array;
}

/** The system error code of a thrown value, or null. */
export function systemCode(thrown: unknown): string | null {
  const code = (thrown as { code?: unknown } | null)?.code;
  return thrown instanceof Error && typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : null;
}

/** A status, or null where the path leads nowhere (ENOENT, or a file in place of a directory). */
export function statusOrNull(files: Files, path: string): FileStatus | null {
  try {
    return files.status(path);
  } catch (thrown) {
    const code = systemCode(thrown);
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw thrown;
  }
}

/** Reads until `length` bytes are there or the file ends; returns how many there are. */
export function readFully(file: OpenFile, into: Uint8Array, start: number, length: number, position: number): number {
  let done = 0;
  while (done < length) {
    const count = file.read(into, start + done, length - done, position + done);
    if (count === 0) break;
    done += count;
  }
  return done;
}

/** Appends all of it, continuing after short writes. Throws EIO when a write makes no progress. */
export function appendFully(file: OpenFile, from: Uint8Array, start: number, length: number): void {
  let done = 0;
  while (done < length) {
    const count = file.append(from, start + done, length - done);
    if (count === 0) throw systemError('EIO', `no bytes could be written to ${file.path}`);
    done += count;
  }
}

/** An error as the operating system would give it. */
export function systemError(code: string, message: string): Error & { code: string } {
  return Object.assign(new Error(`${code}: ${message}`), { code });
}

/** Largest file that is read as one piece unless the caller says otherwise. */
export const READ_WHOLE_LIMIT = 1 << 30;

/** Refuses everything but a regular file, by name. */
export function requireFile(path: string, kind: FileKind): void {
  if (kind === 'file') return;
  throw new VelescopeError('NOT_A_FILE', `${path} should be a file and is a ${kind === 'fifo' ? 'named pipe' : kind}`, {
    next: 'Look at what put it there; Velescope reads and writes regular files only.',
    data: { path, kind },
  });
}

/** Refuses to read a file above the limit as one piece. */
export function requireLimit(path: string, size: number, limit: number): void {
  if (size <= limit) return;
  throw new VelescopeError('TOO_LARGE', `${path} has ${size} bytes; at most ${limit} are read at once`, {
    data: { path, size, limit },
  });
}
