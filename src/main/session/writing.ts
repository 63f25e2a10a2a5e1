import { join } from 'node:path';
import type { View } from '../../core/generation.ts';
import type { WorkProgress } from '../../core/steps.ts';
import { highU32, lowU32 } from '../../core/u64.ts';
import { VelescopeError } from '../../shared/errors.ts';
import type { Durability } from '../../shared/protocol.ts';
import type { Files } from '../engine/files.ts';
import { LOG_FILE } from '../engine/lock.ts';
import { type KnownLog, LogPayloadStorage, type Operation } from '../engine/log-payload-storage.ts';
import { LastWrite, NOTHING, type WriteKind } from './last-write.ts';
import { runSliced } from './slices.ts';

/** Where the last write is remembered. It outlives the writer: writing may be turned off and on again before it is taken back. */
export interface WriteMemory {
  lastWrite: LastWrite | null;
}

export interface WriterOptions {
  files: Files;
  memory: WriteMemory;
  view: View;
  durability: Durability;
  onWarning(error: VelescopeError): void;
  /** What the session has read of the log; null where that no longer says what is there. */
  known: KnownLog | null;
  signal: AbortSignal;
  onProgress?: (progress: WorkProgress) => void;
}

/**
 * The writing half of a session: it exists while writing is on, and holds the locks for that long. What it writes is taken in by
 * the session's scan like bytes of any other writer.
 */
export class Writer {
  private constructor(
    readonly storage: LogPayloadStorage,
    private readonly files: Files,
    private readonly memory: WriteMemory,
  ) {}

  /**
   * Turns writing on, letting messages in between slices: what `known` cannot answer for is read again under the locks, whole. Throws the
   * refusal (LOCK_HELD, LOG_DAMAGED, SNAPSHOT_DISAGREES, …) or CANCELLED, with nothing locked.
   */
  static async open(directory: string, options: WriterOptions): Promise<Writer> {
    const { files, memory, view, durability, onWarning, known, signal, onProgress } = options;
    const steps = LogPayloadStorage.openForWriting(directory, { files, durability, view, onWarning }, known);
    const sliced = onProgress === undefined ? { signal } : { signal, onProgress };
    return new Writer(await runSliced(steps, sliced), files, memory);
  }

  /** Changes what writes are safe against from now on. */
  setDurability(durability: Durability): void {
    this.storage.setDurability(durability);
  }

  /** Payload the id holds now, its bytes; null where it holds none that can be read. */
  payloadOf(id: bigint): Uint8Array | null {
    const found = this.storage.retrieve(id);
    return found?.ok ? found.payload : null;
  }

  /** Whether the id holds a record now, one that was only accepted so far included. */
  holds(id: bigint): boolean {
    return this.storage.offsetOf(id) !== null;
  }

  /**
   * Writes the operations as one batch with one sync. On any error nothing changed. Batches of one group are taken back together; `kind` is
   * what a person is told they are.
   */
  apply(
    operations: readonly Operation[],
    kind: WriteKind = 'write',
    group: string | null = null,
  ): 'saved' | 'accepted' {
    const { storage, memory } = this;
    const before = new Map<bigint, number>();
    for (const { id } of operations) if (!before.has(id)) before.set(id, this.#placeOf(id));
    // Looked at before: what fails after the batch would make a write that succeeded look like one that failed.
    const { device, inode } = this.files.status(join(storage.directory, LOG_FILE));
    const state = storage.apply(operations);
    const last = memory.lastWrite;
    const goesOn = last !== null && group !== null && last.group === group;
    const write = goesOn ? last : new LastWrite(kind, group, { device, inode });
    for (const [id, place] of before) {
      write.note({ low: lowU32(id), high: highU32(id), before: place, after: this.#placeOf(id) });
    }
    memory.lastWrite = write;
    return state;
  }

  #placeOf(id: bigint): number {
    return Number(this.storage.offsetOf(id) ?? NOTHING);
  }

  /** Writes a snapshot of the log as it stands. */
  createSnapshot(): { walPosition: bigint; entries: number; bytes: number } {
    this.storage.createSnapshot();
    const { snapshot } = this.storage;
    if (snapshot.state !== 'valid')
      throw new VelescopeError('VERIFY_FAILED', 'The snapshot was written and is not valid.');
    return snapshot;
  }

  /** Makes what was only accepted durable. */
  sync(): void {
    this.storage.sync();
  }

  close(): void {
    this.storage.close();
  }
}
