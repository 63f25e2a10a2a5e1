import { join } from 'node:path';
import { checkForEveryRelease } from '../../core/json/check.ts';
import { LENGTH_FIELD_OFFSET, STORE_HEADER_SIZE } from '../../core/record.ts';
import type { Steps } from '../../core/steps.ts';
import { StoreReader } from '../../core/store-reader.ts';
import { joinU64, readU32 } from '../../core/u64.ts';
import { VelescopeError } from '../../shared/errors.ts';
import { crc32 } from '../engine/crc32.ts';
import { type Files, statusOrNull } from '../engine/files.ts';
import { LOG_FILE } from '../engine/lock.ts';
import type { LogPayloadStorage, Operation } from '../engine/log-payload-storage.ts';
import { LastWrite, MOST_UNDONE, NOTHING, type WrittenId } from './last-write.ts';
import type { WriteMemory } from './writing.ts';

/** A batch of an undo ends at this many records or bytes of payload; most undos are one. */
const BATCH_RECORDS = 4_096;
const BATCH_BYTES = 4 << 20;
/** So many ids are named of those that cannot be taken back. */
const NAMED = 100;
const RECORDS_A_STEP = 256;

/** Ids of a write that stay as they are, counted, the first ones named. */
export interface LeftAsIs {
  count: number;
  ids: string[];
}

/** What taking a write back would do, or did. */
export interface UndoResult {
  /** Records of the write. */
  records: number;
  /** Ids that get the payload they had before. */
  stores: number;
  /** Ids that held nothing before and are deleted. */
  deletes: number;
  /** Somebody wrote to them since: what is there now is not what the write left. */
  changed: LeftAsIs;
  /** What they held before is damaged, or nothing that VelesDB reads, and cannot be stored again. */
  lost: LeftAsIs;
}

type Change = { is: 'operation'; operation: Operation } | { is: 'nothing' | 'changed' | 'lost' };

/**
 * Takes the last write back: appends the previous state of what it changed, and truncates nothing. An id that was written to since is
 * left as it is, whoever wrote to it. Undoing an undo is a redo.
 */
export class Undo {
  readonly last: LastWrite;
  /** What was done so far; also after the steps were given up in the middle. */
  readonly result: UndoResult;

  /** NOT_ALLOWED where there is nothing to take back, or the log is another file by now. */
  constructor(
    private readonly storage: LogPayloadStorage,
    files: Files,
    private readonly memory: WriteMemory,
  ) {
    const { lastWrite } = memory;
    if (lastWrite === null) {
      throw new VelescopeError('NOT_ALLOWED', 'There is no write of this session to take back.');
    }
    if (lastWrite.isTooLarge) {
      throw new VelescopeError(
        'NOT_ALLOWED',
        `The last write changed more than ${MOST_UNDONE} records, which are not remembered, so it cannot be taken back.`,
        { next: 'Restore single records from their history.' },
      );
    }
    const log = statusOrNull(files, join(storage.directory, LOG_FILE));
    if (log?.inode !== lastWrite.log.inode || log.device !== lastWrite.log.device) {
      memory.lastWrite = null;
      throw new VelescopeError('NOT_ALLOWED', 'The log was replaced since the last write, so it cannot be taken back.');
    }
    this.last = lastWrite;
    this.result = {
      records: lastWrite.count,
      stores: 0,
      deletes: 0,
      changed: { count: 0, ids: [] },
      lost: { count: 0, ids: [] },
    };
  }

  /** Says what `run` would do. Writes nothing but what was accepted before. */
  *preview(): Steps<UndoResult> {
    const { last } = this;
    this.#settle();
    const reader = this.#reader();
    for (let at = 0; at < last.count; at++) {
      this.#count(last.at(at), yield* this.#changeOf(last.at(at), reader));
      if (at % RECORDS_A_STEP === 0) yield { done: at, total: last.count };
    }
    return this.result;
  }

  /**
   * Does it, in batches of one sync each. Given up in the middle, whole batches are taken back, and what is left is the last write: doing
   * it again goes on. On an error of a batch nothing of that batch is done.
   */
  *run(): Steps<UndoResult> {
    const { last, storage, memory } = this;
    this.#settle();
    const redo = new LastWrite('undo', null, last.log);
    let at = 0;
    let done = 0;
    try {
      while (at < last.count) {
        const reader = this.#reader();
        const taken: { written: WrittenId; change: Change }[] = [];
        const operations: Operation[] = [];
        let bytes = 0;
        for (; at < last.count && operations.length < BATCH_RECORDS && bytes < BATCH_BYTES; at++) {
          const written = last.at(at);
          const change = yield* this.#changeOf(written, reader);
          taken.push({ written, change });
          if (change.is === 'operation') {
            operations.push(change.operation);
            if (change.operation.type === 'store') bytes += change.operation.payload.length;
          }
          if (at % RECORDS_A_STEP === 0) yield { done: at, total: last.count };
        }
        if (operations.length > 0) storage.apply(operations);
        for (const { written, change } of taken) {
          this.#count(written, change);
          if (change.is !== 'operation') continue;
          const { low, high } = written;
          redo.note({ low, high, before: written.after, after: this.#placeOf(written) });
        }
        done = at;
        yield { done, total: last.count };
      }
      return this.result;
    } finally {
      if (done < last.count) memory.lastWrite = done === 0 ? last : last.from(done);
      else memory.lastWrite = redo.count === 0 ? null : redo;
    }
  }

  /** What was only accepted is in the file before it is read there. */
  #settle(): void {
    this.storage.sync();
  }

  #reader(): StoreReader {
    return new StoreReader(this.storage.source, crc32);
  }

  #placeOf({ low, high }: WrittenId): number {
    return Number(this.storage.offsetOf(joinU64(low, high)) ?? NOTHING);
  }

  *#changeOf(written: WrittenId, reader: StoreReader): Steps<Change> {
    const { low, high, before, after } = written;
    if (this.#placeOf(written) !== after) return { is: 'changed' };
    const id = joinU64(low, high);
    if (before === NOTHING) {
      return after === NOTHING ? { is: 'nothing' } : { is: 'operation', operation: { type: 'delete', id } };
    }
    // Not trusted unseen: it may have been damaged before, or since.
    const start = before - LENGTH_FIELD_OFFSET;
    if ((yield* reader.storeAt(start, low, high)) === null) return { is: 'lost' };
    const { source } = this.storage;
    const length = readU32(source.read(before, 4), 0);
    const payload = source.read(start + STORE_HEADER_SIZE, length).slice();
    if (checkForEveryRelease(payload).state !== 'ok') return { is: 'lost' };
    return { is: 'operation', operation: { type: 'store', id, payload } };
  }

  #count({ low, high }: WrittenId, change: Change): void {
    if (change.is === 'nothing') return;
    if (change.is === 'operation') {
      if (change.operation.type === 'store') this.result.stores++;
      else this.result.deletes++;
      return;
    }
    const left = this.result[change.is];
    left.count++;
    if (left.ids.length < NAMED) left.ids.push(String(joinU64(low, high)));
  }
}
