import type { DirectoryEntry, FileKind, FileStatus, Files, OpenFile, OpenMode } from './files.ts';
import { READ_WHOLE_LIMIT, requireFile, requireLimit, systemError } from './files.ts';

/**
 * Files in memory that remember what a disk is bound to hold and what it may still lose. A written byte is visible at
 * once and durable only after `sync`; a name is visible at once and durable only after `syncDirectory`. `crashStates`
 * enumerates what may be found after the power went: unsynced writes lost, torn at any byte, zero-filled where only the
 * size reached the disk, or in another order; names and renames undone. Paths are absolute, with `/`.
 */
export class MemoryFiles implements Files {
  readonly #root: Directory;
  /** Bytes that all files together may have; the disk is full beyond it. */
  capacity: number;

  constructor(options: { capacity?: number } = {}) {
    this.#root = new Directory();
    this.capacity = options.capacity ?? Number.POSITIVE_INFINITY;
  }

  open(path: string, mode: OpenMode): OpenFile {
    const { directory, name } = this.#parent(path);
    let node = directory.names.get(name);
    if (mode === 'create' && node !== undefined) throw systemError('EEXIST', `file already exists, open '${path}'`);
    if (node === undefined) {
      if (mode === 'read' || mode === 'overwrite')
        throw systemError('ENOENT', `no such file or directory, open '${path}'`);
      node = new Regular();
      directory.set(name, node);
    }
    return new MemoryFile(path, this.#regular(path, node), mode, this);
  }

  status(path: string): FileStatus {
    return statusOf(this.#node(path));
  }

  rename(from: string, to: string): void {
    const source = this.#parent(from);
    const target = this.#parent(to);
    const node = source.directory.names.get(source.name);
    if (node === undefined) throw systemError('ENOENT', `no such file or directory, rename '${from}' -> '${to}'`);
    const replaced = target.directory.names.get(target.name);
    if (replaced instanceof Directory) throw systemError('EISDIR', `rename '${from}' -> '${to}'`);
    if (source.directory === target.directory) source.directory.rename(source.name, target.name);
    else {
      // Two directories are two updates of the disk, and a crash may keep either.
      target.directory.set(target.name, node);
      source.directory.remove(source.name);
    }
  }

  link(existing: string, path: string): void {
    const node = this.#regular(existing, this.#node(existing));
    const { directory, name } = this.#parent(path);
    if (directory.names.has(name)) throw systemError('EEXIST', `link '${existing}' -> '${path}'`);
    directory.set(name, node);
  }

  copy(from: string, to: string): void {
    const source = this.#regular(from, this.#node(from));
    const file = this.open(to, 'create');
    const bytes = source.content;
    let done = 0;
    while (done < bytes.length) done += file.append(bytes, done, bytes.length - done);
    file.close();
  }

  /** Files in memory have no owner; both have to be there. */
  copyPermissions(from: string, to: string): void {
    this.#node(from);
    this.#node(to);
  }

  unlink(path: string): void {
    const { directory, name } = this.#parent(path);
    const node = directory.names.get(name);
    if (node === undefined) throw systemError('ENOENT', `no such file or directory, unlink '${path}'`);
    if (node instanceof Directory) throw systemError('EPERM', `operation not permitted, unlink '${path}'`);
    directory.remove(name);
  }

  makeDirectory(path: string): void {
    let directory = this.#root;
    for (const name of split(path)) {
      let next = directory.names.get(name);
      if (next === undefined) {
        next = new Directory();
        directory.set(name, next);
      }
      if (!(next instanceof Directory)) throw systemError('EEXIST', `file already exists, mkdir '${path}'`);
      directory = next;
    }
  }

  removeDirectory(path: string): void {
    if (this.#directory(path).names.size > 0) throw systemError('ENOTEMPTY', `directory not empty, rmdir '${path}'`);
    const { directory, name } = this.#parent(path);
    directory.remove(name);
  }

  list(path: string): DirectoryEntry[] {
    const directory = this.#directory(path);
    return [...directory.names]
      .map(([name, node]) => ({ name, kind: node.kind }))
      .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  }

  syncDirectory(path: string): void {
    this.#directory(path).sync();
  }

  freeSpace(): number | null {
    return Number.isFinite(this.capacity) ? Math.max(0, this.capacity - this.used()) : null;
  }

  watch(): null {
    return null;
  }

  readWhole(path: string, limit: number = READ_WHOLE_LIMIT): Uint8Array {
    const node = this.#regular(path, this.#node(path));
    requireLimit(path, node.content.length, limit);
    return node.content.slice();
  }

  /** Bytes of all files together, a file with two names once. */
  used(): number {
    const seen = new Set<Regular>();
    const visit = (directory: Directory) => {
      for (const node of directory.names.values()) {
        if (node instanceof Directory) visit(node);
        else seen.add(node);
      }
    };
    visit(this.#root);
    let total = 0;
    for (const node of seen) total += node.content.length;
    return total;
  }

  /** Puts a file there as if it had always been: durable, name and content. */
  put(path: string, bytes: Uint8Array): void {
    const parts = split(path);
    this.makeDirectory(`/${parts.slice(0, -1).join('/')}`);
    let directory = this.#root;
    for (const part of parts.slice(0, -1)) {
      directory.sync();
      directory = directory.names.get(part) as Directory;
    }
    directory.set(parts.at(-1)!, new Regular(new Uint8Array(bytes)));
    directory.sync();
  }

  /** Everything as it is, made durable: as after an orderly shutdown. */
  settle(): void {
    const visit = (directory: Directory) => {
      directory.sync();
      for (const node of directory.names.values()) {
        if (node instanceof Directory) visit(node);
        else node.settle();
      }
    };
    visit(this.#root);
  }

  /**
   * Every state a disk may legally be in were the power to go now, each as files of its own. Equal states come once. The
   * number grows with the product of what is pending, so pending work should be small where this is asked. `wanted` is
   * told the content of a state by path before its files are made, and may decline.
   */
  *crashStates(wanted: (contents: ReadonlyMap<string, Uint8Array>) => boolean = () => true): Generator<MemoryFiles> {
    for (const root of directoryStates(this.#root)) {
      if (!wanted(contentsOf(root))) continue;
      const state = new MemoryFiles({ capacity: this.capacity });
      fill(state.#root, root);
      yield state;
    }
  }

  #parent(path: string): { directory: Directory; name: string } {
    const parts = split(path);
    const name = parts.pop();
    if (name === undefined) throw systemError('EISDIR', `illegal operation on a directory '${path}'`);
    return { directory: this.#directory(`/${parts.join('/')}`), name };
  }

  #directory(path: string): Directory {
    const node = this.#node(path);
    if (node instanceof Directory) return node;
    throw systemError('ENOTDIR', `not a directory '${path}'`);
  }

  #node(path: string): Directory | Regular {
    let node: Directory | Regular = this.#root;
    for (const name of split(path)) {
      if (!(node instanceof Directory)) throw systemError('ENOTDIR', `not a directory '${path}'`);
      const next: Directory | Regular | undefined = node.names.get(name);
      if (next === undefined) throw systemError('ENOENT', `no such file or directory '${path}'`);
      node = next;
    }
    return node;
  }

  #regular(path: string, node: Directory | Regular): Regular {
    if (node instanceof Directory) requireFile(path, 'directory');
    return node as Regular;
  }
}

/** A change of a file's content that a crash may still undo, unless `settled`. */
type FileChange = { settled: boolean; doubtful: boolean } & (
  | { type: 'write'; at: number; bytes: Uint8Array }
  | { type: 'truncate'; size: number }
);

type NameChange =
  | { type: 'set'; name: string; node: Directory | Regular }
  | { type: 'remove'; name: string }
  | { type: 'rename'; from: string; to: string };

let nextInode = 1n;

class Regular {
  readonly kind: FileKind = 'file';
  readonly inode = nextInode++;
  names = 0;
  modified = 0n;
  content: Uint8Array;
  lockedBy: MemoryFile | null = null;
  /** What the disk holds for certain, before `changes`. */
  #durable: Uint8Array;
  #changes: FileChange[] = [];

  constructor(bytes: Uint8Array = new Uint8Array()) {
    this.content = bytes;
    this.#durable = bytes;
  }

  change(change: FileChange): void {
    this.#changes.push(change);
    this.content = applyChange(this.content, change);
    this.modified += 1n;
  }

  sync(): void {
    for (const change of this.#changes) change.settled ||= !change.doubtful;
    // Bytes that a settled truncation cut off cannot come back, whether they had reached the disk or not.
    const cut = this.#changes.findLastIndex((change) => change.settled && change.type === 'truncate');
    if (cut >= 0) {
      const size = (this.#changes[cut] as { size: number }).size;
      this.#changes = this.#changes.filter(
        (change, index) => index >= cut || change.settled || change.type !== 'write' || change.at < size,
      );
    }
    // Nor can bytes that a settled write went over.
    this.#changes = this.#changes.filter((change, index) => {
      if (change.settled || change.type !== 'write') return true;
      const covers = (later: FileChange) =>
        later.settled &&
        later.type === 'write' &&
        later.at <= change.at &&
        later.at + later.bytes.length >= change.at + change.bytes.length;
      return !this.#changes.slice(index + 1).some(covers);
    });
    while (this.#changes[0]?.settled) this.#durable = applyChange(this.#durable, this.#changes.shift()!);
  }

  /**
   * A sync that failed: the operating system may have dropped what it could not write and call the pages clean, so that a
   * later sync that succeeds says nothing about them.
   */
  failSync(): void {
    for (const change of this.#changes) change.doubtful ||= !change.settled;
  }

  settle(): void {
    this.#changes = [];
    this.#durable = this.content;
  }

  /** Every content the disk may hold. */
  states(): Uint8Array[] {
    const states = new Map<string, Uint8Array>();
    const add = (changes: readonly FileChange[]) => {
      const bytes = changes.reduce(applyChange, this.#durable);
      states.set(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1'), bytes);
    };
    for (const kept of subsets(this.#changes, (change) => change.settled)) {
      add(kept);
      kept.forEach((change, index) => {
        if (change.settled || change.type !== 'write') return;
        for (let length = 0; length < change.bytes.length; length++) {
          const torn = change.bytes.slice(0, length);
          const zeroed = new Uint8Array(change.bytes.length);
          zeroed.set(torn);
          add(kept.with(index, { ...change, bytes: torn }));
          add(kept.with(index, { ...change, bytes: zeroed }));
        }
      });
    }
    return [...states.values()];
  }
}

class Directory {
  readonly kind: FileKind = 'directory';
  readonly inode = nextInode++;
  modified = 0n;
  names = new Map<string, Directory | Regular>();
  #durable: ReadonlyMap<string, Directory | Regular> = new Map();
  #changes: NameChange[] = [];

  set(name: string, node: Directory | Regular): void {
    this.#change({ type: 'set', name, node });
  }

  remove(name: string): void {
    this.#change({ type: 'remove', name });
  }

  rename(from: string, to: string): void {
    if (from !== to) this.#change({ type: 'rename', from, to });
  }

  sync(): void {
    this.#durable = new Map(this.names);
    this.#changes = [];
  }

  /** Every set of names the disk may hold. A rename within the directory happens whole or not at all. */
  states(): ReadonlyMap<string, Directory | Regular>[] {
    const states = new Map<string, ReadonlyMap<string, Directory | Regular>>();
    for (const kept of subsets(this.#changes, () => false)) {
      const names = kept.reduce(applyNameChange, this.#durable);
      const key = [...names].map(([name, node]) => `${name}=${node.inode}`);
      states.set(key.sort().join('/'), names);
    }
    return [...states.values()];
  }

  #change(change: NameChange): void {
    this.#changes.push(change);
    const before = new Map(this.names);
    this.names = applyNameChange(this.names, change);
    for (const node of before.values()) if (node instanceof Regular) node.names -= 1;
    for (const node of this.names.values()) if (node instanceof Regular) node.names += 1;
    this.modified += 1n;
  }
}

/** Above this many pending changes only prefixes, and everything but one, are enumerated: 2^n would not end. */
const ALL_SUBSETS_UP_TO = 6;

/** The subsets of `changes`, in order, that hold every required one. */
function* subsets<T>(changes: readonly T[], required: (change: T) => boolean): Generator<T[]> {
  const free = changes.filter((change) => !required(change));
  const choose = (chosen: ReadonlySet<T>) => changes.filter((change) => required(change) || chosen.has(change));
  if (free.length <= ALL_SUBSETS_UP_TO) {
    for (let bits = 0; bits < 1 << free.length; bits++) {
      yield choose(new Set(free.filter((_, index) => bits & (1 << index))));
    }
    return;
  }
  for (let length = 0; length <= free.length; length++) yield choose(new Set(free.slice(0, length)));
  for (let left = 0; left < free.length; left++) yield choose(new Set(free.toSpliced(left, 1)));
}

function applyChange(bytes: Uint8Array, change: FileChange): Uint8Array {
  const size = change.type === 'truncate' ? change.size : Math.max(bytes.length, change.at + change.bytes.length);
  const result = new Uint8Array(size);
  result.set(bytes.subarray(0, size));
  if (change.type === 'write') result.set(change.bytes, change.at);
  return result;
}

function applyNameChange<Node>(
  names: ReadonlyMap<string, Node>,
  change:
    | { type: 'set'; name: string; node: Node }
    | { type: 'remove'; name: string }
    | { type: 'rename'; from: string; to: string },
): Map<string, Node> {
  const result = new Map(names);
  if (change.type === 'set') result.set(change.name, change.node);
  else if (change.type === 'remove') result.delete(change.name);
  else {
    // In a state where the change that made `from` was lost there is nothing to move.
    const node = result.get(change.from);
    if (node !== undefined) {
      result.delete(change.from);
      result.set(change.to, node);
    }
  }
  return result;
}

type State = Map<string, State | { bytes: Uint8Array; node: Regular }>;

function* directoryStates(directory: Directory): Generator<State> {
  for (const names of directory.states()) yield* product([...names]);
}

function* product(names: [string, Directory | Regular][]): Generator<State> {
  const [first, ...rest] = names;
  if (first === undefined) {
    yield new Map();
    return;
  }
  const [name, node] = first;
  const states =
    node instanceof Directory ? [...directoryStates(node)] : node.states().map((bytes) => ({ bytes, node }));
  for (const others of product(rest)) {
    for (const state of states) yield new Map([[name, state], ...others]);
  }
}

function contentsOf(root: State): Map<string, Uint8Array> {
  const contents = new Map<string, Uint8Array>();
  const visit = (state: State, path: string) => {
    for (const [name, entry] of state) {
      if (entry instanceof Map) visit(entry, `${path}/${name}`);
      else contents.set(`${path}/${name}`, entry.bytes);
    }
  };
  visit(root, '');
  return contents;
}

function fill(directory: Directory, state: State): void {
  // A file with two names stays one file.
  const made = new Map<Regular, Regular>();
  const visit = (into: Directory, from: State) => {
    for (const [name, entry] of from) {
      if (entry instanceof Map) {
        const child = new Directory();
        visit(child, entry);
        into.set(name, child);
      } else {
        const file = made.get(entry.node) ?? new Regular(entry.bytes);
        made.set(entry.node, file);
        into.set(name, file);
      }
    }
    into.sync();
  };
  visit(directory, state);
}

/** An open file of `MemoryFiles`; `failSync` is for the fault-injecting files. */
export class MemoryFile implements OpenFile {
  readonly path: string;
  readonly #node: Regular;
  readonly #mode: OpenMode;
  readonly #files: MemoryFiles;
  #closed = false;

  constructor(path: string, node: Regular, mode: OpenMode, files: MemoryFiles) {
    this.path = path;
    this.#node = node;
    this.#mode = mode;
    this.#files = files;
  }

  size(): number {
    return this.#open().content.length;
  }

  status(): FileStatus {
    return statusOf(this.#open());
  }

  hasSize(size: number): boolean {
    return this.#open().content.length === size;
  }

  read(into: Uint8Array, start: number, length: number, position: number): number {
    const bytes = this.#open().content.subarray(position, position + length);
    into.set(bytes, start);
    return bytes.length;
  }

  append(from: Uint8Array, start: number, length: number): number {
    const node = this.#open('append', 'create');
    const room = this.#files.freeSpace() ?? length;
    if (room === 0 && length > 0) throw systemError('ENOSPC', `no space left on device, write '${this.path}'`);
    // A copy whatever the class: a Buffer's own slice would be a view.
    const bytes = new Uint8Array(from.subarray(start, start + Math.min(length, room)));
    node.change({ type: 'write', at: node.content.length, bytes, settled: false, doubtful: false });
    return bytes.length;
  }

  overwrite(from: Uint8Array, start: number, length: number, position: number): number {
    const bytes = new Uint8Array(from.subarray(start, start + length));
    this.#open('overwrite').change({ type: 'write', at: position, bytes, settled: false, doubtful: false });
    return length;
  }

  sync(): void {
    this.#open().sync();
  }

  failSync(): void {
    this.#open().failSync();
  }

  truncate(size: number): void {
    this.#open('append', 'create', 'overwrite').change({ type: 'truncate', size, settled: false, doubtful: false });
  }

  tryLock(): boolean {
    const node = this.#open();
    if (node.lockedBy !== null && node.lockedBy !== this) return false;
    node.lockedBy = this;
    return true;
  }

  unlock(): void {
    if (this.#open().lockedBy === this) this.#node.lockedBy = null;
  }

  close(): void {
    if (this.#closed) return;
    this.unlock();
    this.#closed = true;
  }

  #open(...modes: OpenMode[]): Regular {
    const allowed = modes.length === 0 || modes.includes(this.#mode);
    if (this.#closed || !allowed) throw systemError('EBADF', `bad file descriptor '${this.path}'`);
    return this.#node;
  }
}

function statusOf(node: Directory | Regular): FileStatus {
  const regular = node instanceof Regular;
  return {
    kind: node.kind,
    size: regular ? node.content.length : 0,
    device: 0n,
    inode: node.inode,
    names: regular ? node.names : 1,
    modified: node.modified,
    changed: node.modified,
  };
}

function split(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}
