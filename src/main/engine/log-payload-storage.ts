import { join } from 'node:path';
import { type ByteSource, MemorySource } from '../../core/byte-source.ts';
import {
  DEFAULT_GENERATION,
  type Generation,
  jsonReaderOf,
  type VelesError,
  type View,
} from '../../core/generation.ts';
import { IdIndex } from '../../core/id-index.ts';
import { checkForEveryRelease, type PayloadCheck } from '../../core/json/check.ts';
import { liveIndex } from '../../core/live-index.ts';
import { CRC_DELETE_SIZE, LENGTH_FIELD_OFFSET } from '../../core/record.ts';
import { replay } from '../../core/replay.ts';
import { type Retrieved, retrieve } from '../../core/retrieve.ts';
import { scan } from '../../core/scan.ts';
import { encodeSnapshot } from '../../core/snapshot.ts';
import { runToEnd, type Steps } from '../../core/steps.ts';
import { joinU64, U64_MAX } from '../../core/u64.ts';
import { toErrorValue, VelescopeError } from '../../shared/errors.ts';
import { crc32 } from './crc32.ts';
import { FileSource } from './file-source.ts';
import { type FileStatus, type Files, isUntouched, type OpenFile, statusOrNull, systemCode } from './files.ts';
import { LOG_FILE, takeDatabaseLock, takeLogLock, type WriteLock } from './lock.ts';
import { findHolder as findHolderOfFile, type Holder } from './lock-holder.ts';
import { boundOfStore, CHUNK_SIZE, type Durability, LogWriter, type WriteState } from './log-writer.ts';
import { nodeFiles } from './node-files.ts';
import { RecordReader } from './record-reader.ts';
import { type LoadedSnapshot, loadSnapshot, readSnapshot, SNAPSHOT_FILE, writeSnapshot } from './snapshot-file.ts';
import { decideWritability, type WritingObstacle, writingRefusal } from './writability.ts';

/** The engine snapshots by itself once the log has grown this far past the last snapshot (docs/format.md, "Writing"). */
export const AUTOMATIC_SNAPSHOT_BYTES = 10_485_760;

export type Payload = Uint8Array | string;

export type Operation =
  | { readonly type: 'store'; readonly id: bigint; readonly payload: Payload }
  | { readonly type: 'delete'; readonly id: bigint };

export interface LogPayloadStorageOptions {
  /** Where the files are; the disk unless told otherwise. */
  files?: Files;
  /** `fsync` unless told. */
  durability?: Durability;
  /** What to read the log as; `v3.12` unless told. */
  view?: View;
  /** Turns writing on at once. Where that is refused the storage is open for reading, and `writingRefusal` says why. */
  writable?: boolean;
  /** Told what went wrong beside the work asked for: an automatic snapshot that failed. */
  onWarning?: (error: VelescopeError) => void;
  findHolder?: (path: string) => Holder | null;
  /** For tests; `AUTOMATIC_SNAPSHOT_BYTES` unless told. */
  automaticSnapshotBytes?: number;
  /** For tests; see `LogWriterOptions`. */
  clock?: () => number;
}

/** What `payloads.snapshot` is; its entries are not kept. */
export type SnapshotState =
  | { state: 'absent' }
  | { state: 'valid'; walPosition: bigint; entries: number; bytes: number }
  | Extract<LoadedSnapshot, { state: 'invalid' | 'unreadable' }>;

/** What somebody who has read the whole log (a session) knows of it: it is sound, and the snapshot agrees with it. */
export interface KnownLog {
  /** Status of the log before its first byte was read. */
  log: FileStatus;
  /** The snapshot, with its status before it was read; null where there is none. */
  snapshot: { status: FileStatus; walPosition: bigint; entries: number; bytes: number } | null;
  /** Builds the index that every generation builds of the log: id → offset of the length field. */
  index(): Steps<IdIndex>;
}

/** Why writing is off when nobody turned it on. */
const NOT_TURNED_ON = new VelescopeError('WRITING_OFF', 'The collection was opened for reading', {
  next: 'Turn writing on.',
});

/**
 * The payload storage of one VelesDB collection, on its directory: every ability of the reference engine of that name.
 * Opening never fails on content: a generation that refuses the log is `refusal`, a snapshot that is no good is
 * `snapshot`. Opening for reading creates nothing and takes no lock. Writing is earned (docs/design.md, rule 2): see
 * `enableWriting`. Synchronous. Ids are bigint, 0…2^64-1 (INVALID_ID otherwise).
 */
export class LogPayloadStorage {
  readonly directory: string;
  #durability: Durability;
  readonly #files: Files;
  readonly #onWarning: (error: VelescopeError) => void;
  readonly #findHolder: (path: string) => Holder | null;
  readonly #automaticSnapshotBytes: number;
  readonly #clock: (() => number) | undefined;

  #view: View;
  #file: OpenFile | null = null;
  #source: FileSource | MemorySource = new MemorySource(new Uint8Array());
  /** For `retrieve`; null where there is no file. */
  #reader: RecordReader | null = null;
  #snapshot: SnapshotState = { state: 'absent' };
  #refusal: VelesError | null = null;
  #usedSnapshot = false;
  /** id → offset of the length field, in the view. */
  #index = new IdIndex();
  /** The same as every generation would build it, for snapshots. The view's own where they agree; null while not writing. */
  #replayed: IdIndex | null = null;
  #lastSnapshotPosition = 0;
  #writer: LogWriter | null = null;
  #lock: WriteLock | null = null;
  #writingRefusal: VelescopeError = NOT_TURNED_ON;
  #closed = false;

  /** Halves of the id in hand: splitting through typed arrays costs no allocation. */
  readonly #id = new BigUint64Array(1);
  readonly #halves = new Uint32Array(this.#id.buffer);
  /** The batch in hand: ids, and offsets of the length field (-1 for a delete). */
  #batchIds = new BigUint64Array(64);
  #batchOffsets = new Float64Array(64);

  /**
   * Opens the storage in `directory`. NOT_FOUND, NOT_A_DIRECTORY, NOT_A_FILE, PERMISSION_DENIED and other failures of the system
   * are thrown; a missing log is an empty one, as it is to the engine.
   */
  static open(directory: string, options: LogPayloadStorageOptions = {}): LogPayloadStorage {
    const storage = new LogPayloadStorage(directory, options);
    try {
      storage.#requireDirectory();
      if (options.writable) {
        try {
          storage.enableWriting();
          return storage;
        } catch (thrown) {
          if (!(thrown instanceof VelescopeError) || storage.#writingRefusal !== thrown) throw thrown;
        }
      }
      storage.reload();
      return storage;
    } catch (thrown) {
      storage.close();
      throw thrown;
    }
  }

  /**
   * Opens the storage for writing, in steps, so that what else its thread has to do need not wait for it. Where writing is refused that is
   * thrown, and nothing is open or locked; so it is when the steps are given up. See `turnWritingOn`.
   */
  static *openForWriting(
    directory: string,
    options: LogPayloadStorageOptions,
    known: KnownLog | null = null,
  ): Steps<LogPayloadStorage> {
    const storage = new LogPayloadStorage(directory, options);
    try {
      storage.#requireDirectory();
      yield* storage.turnWritingOn(known);
      return storage;
    } finally {
      if (!storage.writable) storage.close();
    }
  }

  private constructor(directory: string, options: LogPayloadStorageOptions) {
    this.directory = directory;
    this.#durability = options.durability ?? 'fsync';
    this.#files = options.files ?? nodeFiles;
    this.#view = options.view ?? DEFAULT_GENERATION;
    this.#onWarning = options.onWarning ?? (() => {});
    this.#findHolder = options.findHolder ?? findHolderOfFile;
    this.#automaticSnapshotBytes = options.automaticSnapshotBytes ?? AUTOMATIC_SNAPSHOT_BYTES;
    this.#clock = options.clock;
  }

  get durability(): Durability {
    return this.#durability;
  }

  /** What the log is read as. */
  get view(): View {
    return this.#view;
  }

  /** The view's answer where it does not open the log; there is no index then. Null where it does. */
  get refusal(): VelesError | null {
    return this.#refusal;
  }

  /** What `payloads.snapshot` was at the last load. */
  get snapshot(): SnapshotState {
    return this.#snapshot;
  }

  /** Whether the view was built on the snapshot. */
  get usedSnapshot(): boolean {
    return this.#usedSnapshot;
  }

  /** Length of the log in bytes, accepted records included. */
  get logLength(): number {
    return this.#writer?.length ?? this.#source.size;
  }

  /** Log position of the last snapshot, 0 without one: how far `shouldCreateSnapshot` counts from. */
  get lastSnapshotPosition(): number {
    return this.#lastSnapshotPosition;
  }

  /** How many ids the view holds. */
  get count(): number {
    return this.#index.size;
  }

  get writable(): boolean {
    return this.#writer !== null && this.#writer.broken === null;
  }

  /** Why nothing can be written, or null where it can. */
  get writingRefusal(): VelescopeError | null {
    return this.#writer === null ? this.#writingRefusal : this.#writer.broken;
  }

  /** Bytes of records accepted in durability `none` and not written yet. */
  get acceptedBytes(): number {
    return this.#writer?.acceptedBytes ?? 0;
  }

  /** The log's bytes as far as they are written, for a scan; good until the storage is reloaded or closed. */
  get source(): ByteSource {
    this.#extendSource();
    return this.#source;
  }

  /** Reads the log as something else from now on; while not writing, as it is by now. */
  readAs(view: View): void {
    if (this.#writer === null) {
      this.#view = view;
      this.reload();
      return;
    }
    this.#writer.drain();
    this.#view = view;
    this.#adoptIndex(this.#replayed!);
  }

  /** Reads log and snapshot anew, as they are now. Does nothing while writing: then nobody else may change them. */
  reload(): void {
    if (this.#writer !== null) return;
    const path = join(this.directory, LOG_FILE);
    let file: OpenFile | null = null;
    try {
      file = this.#files.open(path, 'read');
    } catch (thrown) {
      if (systemCode(thrown) !== 'ENOENT') throw thrown;
    }
    this.#takeFile(file);
    const loaded = loadSnapshot(this.#files, this.directory);
    this.#rememberSnapshot(stateOf(loaded));
    this.#refusal = null;
    this.#usedSnapshot = false;
    if (this.#view === 'salvage') {
      this.#index = this.#salvageIndex();
      return;
    }
    const snapshot = loaded.state === 'valid' ? loaded.snapshot : null;
    const result = runToEnd(replay({ source: this.#source, crc32, generation: this.#view, snapshot }));
    this.#usedSnapshot = result.usedSnapshot;
    this.#index = result.ok ? result.index : new IdIndex();
    this.#refusal = result.ok ? null : { kind: result.kind, message: result.message };
  }

  /** `turnWritingOn` at once, with nothing known of the log: all of it is read. */
  enableWriting(): void {
    runToEnd(this.turnWritingOn());
  }

  /**
   * Turns writing on: takes the database's lock and the log's, creates the log where there is none, and under the locks decides
   * whether it may be written to (`decideWritability`): every record's framing and CRC from byte 0 to the end, and that the snapshot, where
   * there is one, holds exactly what the records before its position come to. Payloads are not read as JSON. What is `known` is taken
   * instead where neither file was touched since. LOCK_HELD, LOCK_UNAVAILABLE, LOG_DAMAGED, SNAPSHOT_DISAGREES, PERMISSION_DENIED,
   * READ_ONLY, DISK_FULL: thrown, kept as `writingRefusal`, and nothing is locked.
   */
  *turnWritingOn(known: KnownLog | null = null): Steps<void> {
    if (this.#writer !== null) return;
    let lock: WriteLock | null = null;
    let log: OpenFile | null = null;
    try {
      lock = takeDatabaseLock(this.#files, this.directory, this.#findHolder);
      log = this.#openLog();
      takeLogLock(log, this.#findHolder);
      // What is acknowledged from here on must not stand on bytes, or under a name, that a crash could still take: VelesDB
      // creates its log without a directory sync, and whoever wrote last may not have synced.
      log.sync();
      this.#files.syncDirectory(this.directory);
      const size = log.size();
      const source = new FileSource(log, size);
      let snapshot: SnapshotState | null = null;
      let index: IdIndex | null = null;
      if (known !== null && this.#isStill(known, log)) {
        index = yield* known.index();
        // Building it took a while too.
        if (!this.#isStill(known, log)) index = null;
        else if (known.snapshot === null) snapshot = { state: 'absent' };
        else {
          const { walPosition, entries, bytes } = known.snapshot;
          snapshot = { state: 'valid', walPosition, entries, bytes };
        }
      }
      if (index === null || snapshot === null) {
        const loaded = yield* readSnapshot(this.#files, this.directory);
        index = yield* this.#requireWritable(source, loaded);
        snapshot = stateOf(loaded);
      }
      const writer = new LogWriter({
        files: this.#files,
        file: log,
        length: size,
        durability: this.#durability,
        ...(this.#clock === undefined ? {} : { clock: this.#clock }),
      });
      this.#takeFile(log, source);
      this.#rememberSnapshot(snapshot);
      this.#adoptIndex(index);
      this.#writer = writer;
      this.#lock = lock;
    } catch (thrown) {
      this.#writingRefusal = asVelescopeError(thrown);
      throw this.#writingRefusal;
    } finally {
      // Also where the steps were given up.
      if (this.#writer === null) {
        if (log !== this.#file) log?.close();
        lock?.release();
      }
    }
  }

  /** Whether log and snapshot are the files that were read, and nobody wrote to them since. */
  #isStill(known: KnownLog, log: OpenFile): boolean {
    const snapshot = statusOrNull(this.#files, join(this.directory, SNAPSHOT_FILE));
    if (
      known.snapshot === null ? snapshot !== null : snapshot === null || !isUntouched(known.snapshot.status, snapshot)
    ) {
      return false;
    }
    return isUntouched(known.log, log.status());
  }

  /**
   * Changes what writes are safe against from now on; what was written before is made as safe first. Errors as `sync`; nothing
   * changed then.
   */
  setDurability(durability: Durability): void {
    if (durability === this.#durability) return;
    this.#writer?.sync();
    this.#durability = durability;
    if (this.#writer !== null) this.#writer.durability = durability;
  }

  /**
   * Turns writing off: what was accepted is written, the locks are released. The storage stays open for reading. Throws where
   * accepted records could not be written; they are lost then, and writing is off all the same.
   */
  disableWriting(): void {
    const writer = this.#writer;
    if (writer === null) return;
    try {
      if (writer.acceptedBytes > 0) writer.drain();
    } finally {
      this.#extendSource();
      const lost = writer.acceptedBytes > 0;
      this.#writer = null;
      this.#replayed = null;
      this.#writingRefusal = NOT_TURNED_ON;
      this.#file?.unlock();
      this.#lock?.release();
      this.#lock = null;
      // The index still names the records that were lost.
      if (lost && !this.#closed) this.reload();
    }
  }

  /**
   * Writes one payload. Text VelesDB would refuse to read is PAYLOAD_REFUSED with its reason, before anything is written. In
   * `fsync` and `flush` it is saved, read back and checked when this returns; in `none` it may be only accepted. On any
   * error nothing changed.
   */
  store(id: bigint, payload: Payload): WriteState {
    const writer = this.#requireWriter();
    this.#splitId(id);
    const low = this.#halves[0]!;
    const high = this.#halves[1]!;
    writer.begin(boundOfStore(payload));
    let offset: number;
    try {
      offset = this.#put(writer, low, high, payload);
    } catch (thrown) {
      writer.discard();
      throw thrown;
    }
    const state = writer.commit();
    this.#index.set(low, high, offset + LENGTH_FIELD_OFFSET);
    if (this.#replayed !== this.#index) this.#replayed!.set(low, high, offset + LENGTH_FIELD_OFFSET);
    this.#written(writer);
    return state;
  }

  /** Deletes an id by writing a tombstone, also for an id that is not there (docs/contract.md, "batch"). As `store` otherwise. */
  delete(id: bigint): WriteState {
    const writer = this.#requireWriter();
    this.#splitId(id);
    const low = this.#halves[0]!;
    const high = this.#halves[1]!;
    writer.begin(CRC_DELETE_SIZE);
    writer.putDelete(low, high);
    const state = writer.commit();
    this.#index.delete(low, high);
    if (this.#replayed !== this.#index) this.#replayed!.delete(low, high);
    this.#written(writer);
    return state;
  }

  /**
   * Writes several payloads with one sync. All are checked before the first byte is written; on any error none is stored. A crash
   * before this returns may leave a prefix of them and one torn record: the format has no batches.
   */
  storeBatch(entries: readonly (readonly [bigint, Payload])[]): WriteState {
    return this.#runBatch(
      entries.length,
      (at) => entries[at]![0],
      (at) => entries[at]![1],
    );
  }

  /** Stores and deletes in the order given, with one sync; otherwise as `storeBatch`. */
  apply(operations: readonly Operation[]): WriteState {
    return this.#runBatch(
      operations.length,
      (at) => operations[at]!.id,
      (at) => {
        const operation = operations[at]!;
        return operation.type === 'store' ? operation.payload : null;
      },
    );
  }

  /**
   * What the id holds in the view: null where it holds nothing, the payload's bytes, or the error with which this generation's
   * read would fail and the bytes there are. The bytes are the caller's; their ArrayBuffer may hold other payloads beside them,
   * so transfer a copy, not it. LOG_DAMAGED where the view refuses the log.
   */
  retrieve(id: bigint): Retrieved | null {
    this.#requireIndex();
    this.#splitId(id);
    const slot = this.#index.find(this.#halves[0]!, this.#halves[1]!);
    if (slot < 0) return null;
    const offset = this.#index.offsetAt(slot);
    const writer = this.#writer;
    const size = writer === null ? this.#source.size : writer.writtenLength;
    if (this.#reader !== null && offset < size) {
      const payload = this.#reader.read(offset, size, jsonReaderOf(this.#view));
      if (payload !== null) return { ok: true, payload };
    } else if (writer !== null) {
      return { ok: true, payload: copy(writer.bufferedPayload(offset - LENGTH_FIELD_OFFSET)) };
    }
    const exact = offset <= Number.MAX_SAFE_INTEGER ? offset : this.#index.offset64At(slot);
    // A source of its own: the window of `#source` may hold bytes that were read when the file was another.
    const source = this.#file === null ? this.#source : new FileSource(this.#file, size);
    const found = retrieve(source, exact, this.#generation);
    if (found.ok) return { ok: true, payload: copy(found.payload) };
    return { ok: false, error: found.error, bytes: found.bytes === null ? null : copy(found.bytes) };
  }

  /** Offset of the length field of the id's record as the view's index has it, or null. */
  offsetOf(id: bigint): bigint | null {
    this.#requireIndex();
    this.#splitId(id);
    const slot = this.#index.find(this.#halves[0]!, this.#halves[1]!);
    return slot < 0 ? null : this.#index.offset64At(slot);
  }

  /** All ids of the view, ascending. LOG_DAMAGED where it refuses the log: an empty list would say something else. */
  ids(): BigUint64Array {
    this.#requireIndex();
    const ids = new BigUint64Array(this.#index.size);
    let at = 0;
    this.#index.forEach((low, high) => {
      ids[at++] = joinU64(low, high);
    });
    return ids.sort();
  }

  /** As the engine's: in `fsync` it syncs, in `flush` everything already left the process, in `none` it does nothing. */
  flush(): void {
    const writer = this.#requireWriter();
    if (this.#durability === 'fsync') writer.sync();
  }

  /** Writes what was accepted and makes everything durable, in every mode. */
  sync(): void {
    this.#requireWriter().sync();
  }

  /** Whether the log has grown far enough past the last snapshot for an automatic one. */
  shouldCreateSnapshot(): boolean {
    return this.logLength - this.#lastSnapshotPosition >= this.#automaticSnapshotBytes;
  }

  /** Syncs the log and writes a snapshot of it. Errors as `sync`, and those of `writeSnapshot`; the log is complete then too. */
  createSnapshot(): void {
    const writer = this.#requireWriter();
    writer.sync();
    const bytes = encodeSnapshot(writer.length, this.#replayed!, crc32);
    writeSnapshot(this.#files, this.directory, bytes);
    this.#lastSnapshotPosition = writer.length;
    const entries = this.#replayed!.size;
    this.#snapshot = { state: 'valid', walPosition: BigInt(writer.length), entries, bytes: bytes.length };
  }

  /** Writes what was accepted, releases the locks and closes the files. May be called twice. Throws what `disableWriting` does. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      this.disableWriting();
    } finally {
      this.#takeFile(null);
    }
  }

  get #generation(): Generation {
    return this.#view === 'salvage' ? DEFAULT_GENERATION : this.#view;
  }

  #requireDirectory(): void {
    const status = this.#files.status(this.directory);
    if (status.kind === 'directory') return;
    throw new VelescopeError('NOT_A_DIRECTORY', `${this.directory} should be a directory and is a ${status.kind}`, {
      data: { path: this.directory, kind: status.kind },
    });
  }

  #requireIndex(): void {
    if (this.#refusal === null) return;
    throw new VelescopeError('LOG_DAMAGED', `This generation does not open the log: ${this.#refusal.message}`, {
      next: 'Read it as salvage, or as a generation that opens it.',
      data: { view: this.#view, ...this.#refusal },
    });
  }

  #requireWriter(): LogWriter {
    if (this.#writer === null) throw this.#writingRefusal;
    return this.#writer;
  }

  #splitId(id: bigint): void {
    if (id < 0n || id > U64_MAX) {
      throw new VelescopeError('INVALID_ID', `An id is a whole number from 0 to ${U64_MAX}; found ${id}`);
    }
    this.#id[0] = id;
  }

  /** Opens the log for appending. A missing one is created, unless a snapshot speaks for one that should be there. */
  #openLog(): OpenFile {
    const path = join(this.directory, LOG_FILE);
    if (statusOrNull(this.#files, path) === null) {
      runToEnd(this.#requireWritable(new MemorySource(new Uint8Array()), loadSnapshot(this.#files, this.directory)));
      return this.#files.open(path, 'create');
    }
    return this.#files.open(path, 'append');
  }

  /** The index every generation builds; throws the refusal. */
  *#requireWritable(source: ByteSource, snapshot: LoadedSnapshot): Steps<IdIndex> {
    if (snapshot.state === 'unreadable') {
      throw writingRefusal([{ kind: 'snapshot-unreadable', error: snapshot.error } satisfies WritingObstacle]);
    }
    const valid = snapshot.state === 'valid' ? snapshot.snapshot : null;
    const answer = yield* decideWritability({ source, crc32, snapshot: valid });
    if (!answer.writable) throw writingRefusal(answer.obstacles);
    return answer.index;
  }

  #takeFile(file: OpenFile | null, source?: FileSource): void {
    if (this.#file !== file) this.#file?.close();
    this.#file = file;
    this.#source = file === null ? new MemorySource(new Uint8Array()) : (source ?? new FileSource(file));
    this.#reader = file === null ? null : new RecordReader(file);
  }

  /** Makes what was written since visible. */
  #extendSource(): void {
    if (this.#writer !== null && this.#source instanceof FileSource) this.#source.extendTo(this.#writer.writtenLength);
  }

  #rememberSnapshot(snapshot: SnapshotState): void {
    this.#snapshot = snapshot;
    this.#lastSnapshotPosition = snapshot.state === 'valid' ? Number(snapshot.walPosition) : 0;
  }

  /** Takes the index that every generation builds for the view's own, or beside salvage's where that is another. */
  #adoptIndex(agreed: IdIndex): void {
    this.#refusal = null;
    this.#replayed = agreed;
    this.#usedSnapshot = this.#view !== 'salvage' && this.#snapshot.state === 'valid';
    const own = this.#view === 'salvage' ? this.#salvageIndex() : agreed;
    this.#index = sameIndex(own, agreed) ? agreed : own;
  }

  #salvageIndex(): IdIndex {
    const table = runToEnd(scan({ source: this.source, crc32 }));
    table.link();
    return runToEnd(liveIndex(table));
  }

  /** Adds a store to the write begun, checked. Returns its offset. */
  #put(writer: LogWriter, low: number, high: number, payload: Payload): number {
    // Written as it is, a lone surrogate would become U+FFFD: another text than the caller's.
    if (typeof payload === 'string' && !isWellFormed(payload)) throw halfCharacter(payload);
    const offset = writer.putStore(low, high, payload);
    const bytes = typeof payload === 'string' ? writer.bufferedPayload(offset) : payload;
    const check = checkForEveryRelease(bytes);
    if (check.state !== 'ok') throw refusedPayload(check);
    return offset;
  }

  #runBatch(count: number, idAt: (at: number) => bigint, payloadAt: (at: number) => Payload | null): WriteState {
    const writer = this.#requireWriter();
    if (count === 0) return 'saved';
    if (this.#batchIds.length < count) {
      this.#batchIds = new BigUint64Array(count);
      this.#batchOffsets = new Float64Array(count);
    }
    let bound = 0;
    for (let at = 0; at < count; at++) {
      const payload = payloadAt(at);
      bound += payload === null ? CRC_DELETE_SIZE : boundOfStore(payload);
    }
    // What does not fit the writer's buffer is written before the last record is put, so it is checked beforehand.
    if (bound > CHUNK_SIZE) this.#checkAll(count, payloadAt);
    writer.begin(bound);
    let at = 0;
    try {
      for (; at < count; at++) {
        this.#splitId(idAt(at));
        const payload = payloadAt(at);
        this.#batchIds[at] = this.#id[0]!;
        if (payload === null) {
          writer.putDelete(this.#halves[0]!, this.#halves[1]!);
          this.#batchOffsets[at] = -1;
        } else {
          this.#batchOffsets[at] = this.#put(writer, this.#halves[0]!, this.#halves[1]!, payload) + LENGTH_FIELD_OFFSET;
        }
      }
    } catch (thrown) {
      writer.discard();
      throw inBatch(thrown, at);
    }
    const state = writer.commit();
    this.#applyBatch(this.#index, count);
    if (this.#replayed !== this.#index) this.#applyBatch(this.#replayed!, count);
    this.#written(writer);
    return state;
  }

  #checkAll(count: number, payloadAt: (at: number) => Payload | null): void {
    for (let at = 0; at < count; at++) {
      const payload = payloadAt(at);
      if (payload === null) continue;
      const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
      if (typeof payload === 'string' && !isWellFormed(payload)) throw inBatch(halfCharacter(payload), at);
      const check = checkForEveryRelease(bytes);
      if (check.state !== 'ok') throw inBatch(refusedPayload(check), at);
    }
  }

  #applyBatch(index: IdIndex, count: number): void {
    const halves = new Uint32Array(this.#batchIds.buffer);
    for (let at = 0; at < count; at++) {
      const offset = this.#batchOffsets[at]!;
      if (offset < 0) index.delete(halves[at * 2]!, halves[at * 2 + 1]!);
      else index.set(halves[at * 2]!, halves[at * 2 + 1]!, offset);
    }
  }

  /** After a successful write. */
  #written(writer: LogWriter): void {
    if (writer.length - this.#lastSnapshotPosition < this.#automaticSnapshotBytes) return;
    try {
      this.createSnapshot();
    } catch (thrown) {
      const error = asVelescopeError(thrown);
      this.#onWarning(
        new VelescopeError(
          error.code,
          `The automatic snapshot failed and is tried again at the next write: ${error.message}`,
          {
            next: 'The records themselves are saved. Without a snapshot VelesDB only takes longer to open the collection.',
            cause: thrown,
          },
        ),
      );
    }
  }
}

function stateOf(loaded: LoadedSnapshot): SnapshotState {
  if (loaded.state !== 'valid') return loaded;
  const { walPosition, count } = loaded.snapshot;
  return { state: 'valid', walPosition, entries: count, bytes: loaded.bytes };
}

/** Not `slice`: that of a Buffer is a view. */
function copy(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

function sameIndex(a: IdIndex, b: IdIndex): boolean {
  if (a === b) return true;
  if (a.size !== b.size) return false;
  let same = true;
  a.forEach((low, high, offset) => {
    const slot = b.find(low, high);
    if (slot < 0 || b.offsetAt(slot) !== offset) same = false;
  });
  return same;
}

function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed();
}

function refusedPayload(check: Exclude<PayloadCheck, { state: 'ok' }>): VelescopeError {
  const { state, message, line, column, offset } = check;
  return new VelescopeError('PAYLOAD_REFUSED', `VelesDB could not read this payload back: ${message}`, {
    next: 'Nothing was written. Correct the text and store it again.',
    data: { state, line, column, offset },
  });
}

function halfCharacter(text: string): VelescopeError {
  const at = text.search(/\p{Surrogate}/u);
  return new VelescopeError('PAYLOAD_REFUSED', `The text holds half of a surrogate pair, at character ${at}`, {
    next: 'Nothing was written. Such a text has no UTF-8 form; remove the character and store it again.',
    data: { state: 'not-json', character: at },
  });
}

/** The same error, saying which entry of the batch it is about. */
function inBatch(thrown: unknown, entry: number): unknown {
  if (!(thrown instanceof VelescopeError)) return thrown;
  return new VelescopeError(thrown.code, thrown.message, {
    ...(thrown.next === undefined ? {} : { next: thrown.next }),
    cause: thrown,
    data: { ...thrown.data, entry },
  });
}

function asVelescopeError(thrown: unknown): VelescopeError {
  if (thrown instanceof VelescopeError) return thrown;
  const { code, message, next, data } = toErrorValue(thrown);
  return new VelescopeError(code, message, {
    ...(next === undefined ? {} : { next }),
    ...(data === undefined ? {} : { data }),
    cause: thrown,
  });
}
