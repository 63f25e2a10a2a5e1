import type { View } from '../../core/generation.ts';
import { VelescopeError } from '../../shared/errors.ts';
import type { Durability } from '../../shared/protocol.ts';
import type { Files } from '../engine/files.ts';
import { LogPayloadStorage, type Operation } from '../engine/log-payload-storage.ts';

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

  /** Turns writing on. Throws the refusal (LOCK_HELD, LOG_DAMAGED, SNAPSHOT_DISAGREES, …) with nothing locked. */
  constructor(
    files: Files,
    directory: string,
    view: View,
    durability: Durability,
    onWarning: (error: VelescopeError) => void,
  ) {
    this.#storage = LogPayloadStorage.open(directory, { files, durability, view, onWarning });
    try {
      this.#storage.enableWriting();
    } catch (thrown) {
      this.#storage.close();
      throw thrown;
    }
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
