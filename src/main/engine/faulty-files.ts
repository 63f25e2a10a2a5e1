import type { Files, OpenFile, OpenMode } from './files.ts';
import { systemError } from './files.ts';
import { MemoryFile } from './memory-files.ts';

/** The calls that can be made to fail; `close` cannot lose anything in this engine and is left out. */
export type CallKind =
  | 'open'
  | 'status'
  | 'size'
  | 'hasSize'
  | 'read'
  | 'append'
  | 'overwrite'
  | 'sync'
  | 'truncate'
  | 'tryLock'
  | 'rename'
  | 'link'
  | 'copy'
  | 'copyPermissions'
  | 'unlink'
  | 'makeDirectory'
  | 'removeDirectory'
  | 'list'
  | 'syncDirectory'
  | 'freeSpace'
  | 'readWhole';

export interface Call {
  /** Place in the list of all calls, from 0. */
  readonly index: number;
  readonly kind: CallKind;
  readonly path: string;
  /** The mode of an `open`, the target of a `rename`, the length of a read or write. */
  readonly detail?: string | number;
}

/**
 * What happens in place of a call. `error`: it fails, and nothing happened, or with `happened` everything did. `short`: a
 * read or write handles only half of its bytes, at least one. `flip`: a read returns one bit wrong. `crash`: the power
 * goes before the call; it and every later one fail.
 */
export type Fault =
  | { type: 'error'; code: string; happened?: boolean }
  | { type: 'short' }
  | { type: 'flip' }
  | { type: 'crash' };

/** Thrown by every call from a crash on. */
export class PowerGone extends Error {}

/** Wraps other files, records every call, and asks `faultFor` before each whether it shall fail. */
export class FaultyFiles implements Files {
  readonly calls: Call[] = [];
  readonly #inner: Files;
  readonly #faultFor: (call: Call) => Fault | null;
  #crashed = false;

  constructor(inner: Files, faultFor: (call: Call) => Fault | null = () => null) {
    this.#inner = inner;
    this.#faultFor = faultFor;
  }

  open(path: string, mode: OpenMode): OpenFile {
    return new FaultyFile(
      this.run('open', path, () => this.#inner.open(path, mode), mode),
      this,
    );
  }

  status(path: string) {
    return this.run('status', path, () => this.#inner.status(path));
  }

  rename(from: string, to: string): void {
    this.run('rename', from, () => this.#inner.rename(from, to), to);
  }

  link(existing: string, path: string): void {
    this.run('link', existing, () => this.#inner.link(existing, path), path);
  }

  copy(from: string, to: string): void {
    this.run('copy', from, () => this.#inner.copy(from, to), to);
  }

  copyPermissions(from: string, to: string): void {
    this.run('copyPermissions', from, () => this.#inner.copyPermissions(from, to), to);
  }

  unlink(path: string): void {
    this.run('unlink', path, () => this.#inner.unlink(path));
  }

  makeDirectory(path: string): void {
    this.run('makeDirectory', path, () => this.#inner.makeDirectory(path));
  }

  removeDirectory(path: string): void {
    this.run('removeDirectory', path, () => this.#inner.removeDirectory(path));
  }

  list(path: string) {
    return this.run('list', path, () => this.#inner.list(path));
  }

  watch(path: string, changed: () => void): (() => void) | null {
    return this.#inner.watch(path, changed);
  }

  syncDirectory(path: string): void {
    this.run('syncDirectory', path, () => this.#inner.syncDirectory(path));
  }

  freeSpace(path: string) {
    return this.run('freeSpace', path, () => this.#inner.freeSpace(path));
  }

  readWhole(path: string, limit?: number) {
    const read = () => this.#inner.readWhole(path, limit);
    const flip = () => {
      const bytes = read();
      if (bytes.length > 0) bytes[bytes.length >> 1]! ^= 1;
      return bytes;
    };
    return this.run('readWhole', path, read, undefined, { flip });
  }

  /** For the open files: records the call and does it, or what is to happen in its place. */
  run<T>(
    kind: CallKind,
    path: string,
    work: () => T,
    detail?: string | number,
    variant: { short?: () => T; flip?: () => T; failed?: () => void } = {},
  ): T {
    if (this.#crashed) throw new PowerGone('the power is gone');
    const call: Call = { index: this.calls.length, kind, path, ...(detail === undefined ? {} : { detail }) };
    this.calls.push(call);
    const fault = this.#faultFor(call);
    if (fault === null) return work();
    if (fault.type === 'crash') {
      this.#crashed = true;
      throw new PowerGone(`the power went before ${kind} ${path}`);
    }
    if (fault.type === 'error') {
      if (fault.happened) work();
      else variant.failed?.();
      throw systemError(fault.code, `injected: ${kind} ${path}`);
    }
    const other = fault.type === 'short' ? variant.short : variant.flip;
    return (other ?? work)();
  }
}

class FaultyFile implements OpenFile {
  readonly path: string;
  readonly #inner: OpenFile;
  readonly #files: FaultyFiles;

  constructor(inner: OpenFile, files: FaultyFiles) {
    this.path = inner.path;
    this.#inner = inner;
    this.#files = files;
  }

  size(): number {
    return this.#files.run('size', this.path, () => this.#inner.size());
  }

  status() {
    return this.#files.run('status', this.path, () => this.#inner.status());
  }

  hasSize(size: number): boolean {
    return this.#files.run('hasSize', this.path, () => this.#inner.hasSize(size), size);
  }

  read(into: Uint8Array, start: number, length: number, position: number): number {
    const read = () => this.#inner.read(into, start, length, position);
    const flip = () => {
      const count = read();
      if (count > 0) into[start + (count >> 1)]! ^= 1;
      return count;
    };
    const short = () => this.#inner.read(into, start, half(length), position);
    return this.#files.run('read', this.path, read, length, { short, flip });
  }

  append(from: Uint8Array, start: number, length: number): number {
    const append = () => this.#inner.append(from, start, length);
    const short = () => this.#inner.append(from, start, half(length));
    return this.#files.run('append', this.path, append, length, { short });
  }

  overwrite(from: Uint8Array, start: number, length: number, position: number): number {
    const overwrite = () => this.#inner.overwrite(from, start, length, position);
    const short = () => this.#inner.overwrite(from, start, half(length), position);
    return this.#files.run('overwrite', this.path, overwrite, length, { short });
  }

  sync(): void {
    const failed = () => {
      if (this.#inner instanceof MemoryFile) this.#inner.failSync();
    };
    this.#files.run('sync', this.path, () => this.#inner.sync(), undefined, { failed });
  }

  truncate(size: number): void {
    this.#files.run('truncate', this.path, () => this.#inner.truncate(size), size);
  }

  tryLock(whole: boolean): boolean {
    return this.#files.run('tryLock', this.path, () => this.#inner.tryLock(whole));
  }

  unlock(): void {
    this.#inner.unlock();
  }

  close(): void {
    this.#inner.close();
  }
}

function half(length: number): number {
  return Math.max(1, length >> 1);
}
