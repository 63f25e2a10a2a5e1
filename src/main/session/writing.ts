import type { View } from '../../core/generation.ts';
import type { WorkProgress } from '../../core/steps.ts';
import { VelescopeError } from '../../shared/errors.ts';
import type { Durability } from '../../shared/protocol.ts';
import type { Files } from '../engine/files.ts';
import { type KnownLog, LogPayloadStorage, type Operation } from '../engine/log-payload-storage.ts';
import { runSliced } from './slices.ts';

export interface WriterOptions {
  files: Files;
  view: View;
  durability: Durability;
  onWarning(error: VelescopeError): void;
  /** What the session has read of the log; null where that no longer says what is there. */
  known: KnownLog | null;
  signal: AbortSignal;
  onProgress?: (progress: WorkProgress) => void;
}

/** What an id held before a write, so that the write can be taken back. */
interface Before {
  id: bigint;
  /** Null where it held nothing. */
  payload: Uint8Array | null;
}

/**
 * The writing half of a session: it exists while writing is on, and holds the locks for that long. What it writes is taken in by
 * the session's scan like bytes of any other writer.
 */
export class Writer {
  readonly #storage: LogPayloadStorage;
  #lastWrite: Before[] | null = null;

  private constructor(storage: LogPayloadStorage) {
    this.#storage = storage;
  }

  /**
   * Turns writing on, letting messages in between slices: what `known` cannot answer for is read again under the locks, whole. Throws the
   * refusal (LOCK_HELD, LOG_DAMAGED, SNAPSHOT_DISAGREES, …) or CANCELLED, with nothing locked.
   */
  static async open(directory: string, options: WriterOptions): Promise<Writer> {
    const { files, view, durability, onWarning, known, signal, onProgress } = options;
    const steps = LogPayloadStorage.openForWriting(directory, { files, durability, view, onWarning }, known);
    const sliced = onProgress === undefined ? { signal } : { signal, onProgress };
    return new Writer(await runSliced(steps, sliced));
  }

  /** Changes what writes are safe against from now on. */
  setDurability(durability: Durability): void {
    this.#storage.setDurability(durability);
  }

  get undoable(): boolean {
    return this.#lastWrite !== null;
  }

  /** Payload the id holds now, its bytes; null where it holds none that can be read. */
  payloadOf(id: bigint): Uint8Array | null {
    const found = this.#storage.retrieve(id);
    return found?.ok ? found.payload : null;
  }

  /** Writes the operations as one batch with one sync. On any error nothing changed. */
  apply(operations: readonly Operation[]): 'saved' | 'accepted' {
    const before = this.#before(operations);
    const state = this.#storage.apply(operations);
    this.#lastWrite = before;
    return state;
  }

  /** Appends the previous state of what the last write changed; returns how many records that took. */
  undoLast(): number {
    const last = this.#lastWrite;
    if (last === null) {
      throw new VelescopeError('NOT_ALLOWED', 'There is no write of this session to take back.');
    }
    const operations: Operation[] = last.map(({ id, payload }) =>
      payload === null ? { type: 'delete', id } : { type: 'store', id, payload },
    );
    const before = this.#before(operations);
    this.#storage.apply(operations);
    // Undoing the undo is a redo.
    this.#lastWrite = before;
    return operations.length;
  }

  #before(operations: readonly Operation[]): Before[] | null {
    const before = new Map<bigint, Before>();
    for (const { id } of operations) {
      if (before.has(id)) continue;
      const found = this.#storage.retrieve(id);
      // A payload that VelesDB cannot read could not be stored again: then there is no way back to offer.
      if (found && !found.ok) return null;
      before.set(id, { id, payload: found?.payload ?? null });
    }
    return [...before.values()];
  }

  /** Writes a snapshot of the log as it stands. */
  createSnapshot(): { walPosition: bigint; entries: number; bytes: number } {
    this.#storage.createSnapshot();
    const { snapshot } = this.#storage;
    if (snapshot.state !== 'valid')
      throw new VelescopeError('VERIFY_FAILED', 'The snapshot was written and is not valid.');
    return snapshot;
  }

  /** Makes what was only accepted durable. */
  sync(): void {
    this.#storage.sync();
  }

  close(): void {
    this.#storage.close();
  }
}
