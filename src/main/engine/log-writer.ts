import { dirname } from 'node:path';
import {
  CRC_DELETE_SIZE,
  CRC_SIZE,
  CRC_STORE_OVERHEAD,
  LENGTH_FIELD_OFFSET,
  MAX_PAYLOAD_LENGTH,
  Marker,
  STORE_HEADER_SIZE,
} from '../../core/record.ts';
import { readU32, writeU32 } from '../../core/u64.ts';
import { type ErrorCode, toErrorValue, VelescopeError } from '../../shared/errors.ts';
import { crc32, crc32OfRange } from './crc32.ts';
import { type FileStatus, type Files, type OpenFile, readFully, statusOrNull, systemError } from './files.ts';

/**
 * What a write is safe against when it returns (docs/format.md, "Writing"). `fsync`: loss of power. `flush`: the end of
 * this process. `none`: nothing; up to 8 KiB of accepted records wait in memory.
 */
export const DURABILITIES = ['fsync', 'flush', 'none'] as const;
export type Durability = (typeof DURABILITIES)[number];

/** `saved`: written as the durability mode says, read back and checked. `accepted`: waiting in the buffer (`none` only). */
export type WriteState = 'saved' | 'accepted';

/** The engine's buffer; only in `none` does a record stay in it. */
const BUFFER_SIZE = 8 << 10;
/**
 * Most that is written at once. A longer batch is written, and in `fsync` synced, in pieces of this size, so that a crash
 * leaves a prefix of it even where a disk reorders writes between two syncs.
 */
export const CHUNK_SIZE = 4 << 20;
/** Read back at once for checking. */
const CHECK_SIZE = 256 << 10;
/** The log's path is looked up this often at most; see `#requireUnchanged`. */
const PATH_CHECK_MILLISECONDS = 1;

export interface LogWriterOptions {
  files: Files;
  /** Opened with `append`, locked, synced, and whole records up to `length`. The writer does not close it. */
  file: OpenFile;
  length: number;
  durability: Durability;
  /** Milliseconds, for how often the path is looked up. */
  clock?: () => number;
}

/**
 * The append path of a log. One write is `begin`, any number of `putStore` and `putDelete`, and `commit`; until `commit`
 * returns nothing happened, and when it throws nothing did: what may have reached the file is cut off again. `discard` ends
 * a write that its caller refuses. Where cutting off fails too, the writer is broken: it refuses with WRITER_BROKEN until
 * the log is opened anew.
 *
 * Before every write the file has to be as we left it (LOG_GREW, LOG_SHRANK, LOG_REPLACED), and after it the bytes are
 * read back and their CRCs computed, before anybody is told they are saved.
 */
export class LogWriter {
  /** Changed only where everything is synced. */
  durability: Durability;
  readonly #files: Files;
  readonly #file: OpenFile;
  readonly #identity: FileStatus;
  readonly #clock: () => number;
  #buffer: Buffer = Buffer.allocUnsafeSlow(BUFFER_SIZE);
  #check: Uint8Array = new Uint8Array(BUFFER_SIZE);
  /** Bytes of the file that are known good. */
  #length: number;
  /** How much of the file is known to be durable. */
  #synced: number;
  /** Bytes in the buffer. */
  #used = 0;
  /** Of them, accepted by earlier writes (`none` only). */
  #accepted = 0;
  /** The file's good length when this write began. */
  #start: number;
  #broken: VelescopeError | null = null;
  #pathChecked = Number.NEGATIVE_INFINITY;

  constructor(options: LogWriterOptions) {
    this.#files = options.files;
    this.#file = options.file;
    this.#identity = options.file.status();
    this.#clock = options.clock ?? (() => performance.now());
    this.#length = options.length;
    this.#start = options.length;
    this.#synced = options.length;
    this.durability = options.durability;
  }

  /** Length of the log in the file, checked. Records from here on are in the buffer. */
  get writtenLength(): number {
    return this.#length;
  }

  /** Length of the log with what waits in the buffer: where the next record will start. */
  get length(): number {
    return this.#length + this.#used;
  }

  /** Bytes accepted and not yet written. */
  get acceptedBytes(): number {
    return this.#accepted;
  }

  /** Why nothing can be written any more, or null. */
  get broken(): VelescopeError | null {
    return this.#broken;
  }

  /** Starts a write of at most `bytes` bytes of records. */
  begin(bytes: number): void {
    if (this.#broken !== null) throw this.#broken;
    // What earlier writes left must not share the fate of this one.
    if (this.#used + bytes > BUFFER_SIZE && this.#used > 0) this.#drain();
    this.#start = this.#length;
  }

  /**
   * Adds a store record. Text is written as UTF-8; the caller has seen to it that it is well-formed, because a lone surrogate
   * would silently become another character. Returns the offset the record will have. PAYLOAD_TOO_LARGE above the 4 GiB
   * the format can express.
   */
  putStore(low: number, high: number, payload: Uint8Array | string): number {
    const bound = boundOfStore(payload);
    if (bound - CRC_STORE_OVERHEAD > MAX_PAYLOAD_LENGTH) throw tooLarge(bound - CRC_STORE_OVERHEAD);
    this.#reserve(bound);
    const buffer = this.#buffer;
    const at = this.#used;
    const text = at + STORE_HEADER_SIZE;
    let length: number;
    if (typeof payload === 'string') length = buffer.write(payload, text, 'utf8');
    else {
      length = payload.length;
      buffer.set(payload, text);
    }
    buffer[at] = Marker.crcStore;
    writeU32(buffer, at + 1, low);
    writeU32(buffer, at + 5, high);
    writeU32(buffer, at + LENGTH_FIELD_OFFSET, length);
    writeU32(buffer, text + length, crc32OfRange(buffer, at, text + length));
    this.#used = text + length + CRC_SIZE;
    return this.#length + at;
  }

  /** Adds a delete record; returns the offset it will have. */
  putDelete(low: number, high: number): number {
    this.#reserve(CRC_DELETE_SIZE);
    const buffer = this.#buffer;
    const at = this.#used;
    buffer[at] = Marker.crcDelete;
    writeU32(buffer, at + 1, low);
    writeU32(buffer, at + 5, high);
    writeU32(buffer, at + 9, crc32OfRange(buffer, at, at + 9));
    this.#used = at + CRC_DELETE_SIZE;
    return this.#length + at;
  }

  /** The payload of a store record that is still in the buffer, by its offset. The view is good until the next call. */
  bufferedPayload(offset: number): Uint8Array {
    const at = offset - this.#length;
    const length = readU32(this.#buffer, at + LENGTH_FIELD_OFFSET);
    return this.#buffer.subarray(at + STORE_HEADER_SIZE, at + STORE_HEADER_SIZE + length);
  }

  /**
   * Ends the write. When it throws, the log and the buffer are as they were before `begin`: DISK_FULL, IO_ERROR and the other
   * system errors, VERIFY_FAILED, LOG_GREW, LOG_SHRANK, LOG_REPLACED, WRITER_BROKEN.
   */
  commit(): WriteState {
    if (this.durability === 'none' && this.#start === this.#length && this.#used <= BUFFER_SIZE) {
      this.#accepted = this.#used;
      return 'accepted';
    }
    try {
      this.#writeOut();
    } catch (thrown) {
      this.discard();
      throw thrown;
    }
    this.#accepted = 0;
    this.#shrink();
    return 'saved';
  }

  /** Gives up the write begun; earlier accepted records stay in the buffer. Also takes back pieces already written. */
  discard(): void {
    this.#used = this.#start === this.#length ? this.#accepted : 0;
    if (this.#start !== this.#length && this.#broken === null) this.#rollBack(this.#length - this.#start);
    this.#shrink();
  }

  /** Writes what waits in the buffer; on failure it goes on waiting there. */
  drain(): void {
    if (this.#broken !== null) throw this.#broken;
    if (this.#used > 0) this.#drain();
  }

  /**
   * Writes what waits and makes everything durable, in every mode. Where neither a sync nor writing the same bytes again and
   * syncing succeeds, the writer is broken.
   */
  sync(): void {
    this.drain();
    this.#requireUnchanged();
    try {
      this.#file.sync();
    } catch {
      // These records were acknowledged already, so they cannot be taken back. And after a failed sync one that succeeds
      // proves nothing about the same bytes: the system may have dropped them and call its memory clean. So they are
      // written once more, in place.
      try {
        this.#writeAgain();
      } catch (thrown) {
        this.#break(thrown, 'the log could not be synced, so nobody knows what of it is on the disk');
        throw this.#failure(thrown);
      }
    }
    this.#synced = this.#length;
  }

  #writeAgain(): void {
    const file = this.#files.open(this.#file.path, 'overwrite');
    try {
      const bytes = new Uint8Array(Math.min(CHECK_SIZE, this.#length - this.#synced));
      for (let position = this.#synced; position < this.#length; ) {
        const count = readFully(file, bytes, 0, Math.min(bytes.length, this.#length - position), position);
        for (let at = 0; at < count; ) at += file.overwrite(bytes, at, count - at, position + at);
        position += count;
        if (count === 0) throw systemError('EIO', `${file.path} ended at ${position} of ${this.#length}`);
      }
      file.sync();
    } finally {
      file.close();
    }
  }

  #drain(): void {
    this.#start = this.#length;
    this.#writeOut();
    this.#accepted = 0;
  }

  /** Makes room for a record at the buffer's end. */
  #reserve(bytes: number): void {
    const needed = this.#used + bytes;
    if (needed <= this.#buffer.length) return;
    if (needed > CHUNK_SIZE && this.#used > this.#accepted) {
      this.#writeOut();
      this.#accepted = 0;
      if (bytes <= this.#buffer.length) return;
    }
    let size = this.#buffer.length;
    while (size < this.#used + bytes) size *= 2;
    const larger = Buffer.allocUnsafeSlow(size > CHUNK_SIZE ? this.#used + bytes : size);
    this.#buffer.copy(larger, 0, 0, this.#used);
    this.#buffer = larger;
  }

  /** One huge payload must not keep its size for good. */
  #shrink(): void {
    if (this.#buffer.length <= CHUNK_SIZE || this.#used > 0) return;
    this.#buffer = Buffer.allocUnsafeSlow(BUFFER_SIZE);
  }

  /** Writes the buffer, syncs in `fsync`, reads back and checks. When it throws, the file is as it was at `#start`. */
  #writeOut(): void {
    this.#requireUnchanged();
    const bytes = this.#used;
    try {
      for (let at = 0; at < bytes; ) {
        const count = this.#file.append(this.#buffer, at, bytes - at);
        if (count === 0) throw systemError('EIO', `no bytes could be written to ${this.#file.path}`);
        at += count;
        // After a short write too: two writes without a sync between them may reach the disk in either order.
        if (this.durability === 'fsync') this.#file.sync();
      }
      this.#requireWritten(bytes);
    } catch (thrown) {
      this.#rollBack(this.#length - this.#start + bytes);
      throw this.#failure(thrown);
    }
    this.#length += bytes;
    this.#used = 0;
    if (this.durability === 'fsync') this.#synced = this.#length;
  }

  /**
   * Cuts the file back to where the write began, of which at most `bytes` bytes were written since. Never cuts off bytes that
   * cannot be ours.
   */
  #rollBack(bytes: number): void {
    try {
      const size = this.#file.size();
      if (size < this.#start || size > this.#start + bytes) {
        throw new VelescopeError(
          'LOG_CHANGED',
          `expected at most ${this.#start + bytes} bytes in the log, found ${size}`,
        );
      }
      // Also where nothing arrived: the bytes of a failed write may reach the disk behind a size that looks right.
      this.#file.truncate(this.#start);
      this.#file.sync();
      if (this.#file.size() !== this.#start) throw new VelescopeError('VERIFY_FAILED', 'the log could not be cut back');
    } catch (thrown) {
      this.#break(thrown, `a failed write could not be taken back: ${toErrorValue(thrown).message}`);
    }
    this.#length = this.#start;
    this.#synced = Math.min(this.#synced, this.#start);
  }

  #break(cause: unknown, what: string): void {
    this.#broken = new VelescopeError('WRITER_BROKEN', `Nothing more is written to ${this.#file.path}: ${what}`, {
      next: 'Open the collection again: it is then read and checked from the beginning.',
      cause,
      data: { path: this.#file.path, goodLength: this.#start },
    });
  }

  /** A failed write as an error with our code, which says that nothing was stored. */
  #failure(thrown: unknown): unknown {
    if (this.#broken !== null) {
      return new VelescopeError(this.#broken.code, this.#broken.message, {
        ...(this.#broken.next === undefined ? {} : { next: this.#broken.next }),
        cause: thrown,
        data: { ...this.#broken.data, reason: toErrorValue(thrown) },
      });
    }
    const { code, message, data } = toErrorValue(thrown);
    if (code === 'INTERNAL') return thrown;
    const next: Partial<Record<ErrorCode, string>> = {
      DISK_FULL: 'Make room on the disk and write again.',
      VERIFY_FAILED: 'Check the disk, and write again.',
    };
    return new VelescopeError(code, `Nothing was stored, the log is as it was before: ${message}`, {
      next: next[code] ?? 'Write again; if it goes on failing, check the disk.',
      cause: thrown,
      data: { path: this.#file.path, ...data },
    });
  }

  /**
   * The log is what we last saw. The size is looked at before every write. That the path still leads to this file costs more
   * than all the rest of a write without a sync, so it is looked at before every write in `fsync`, and in the other modes,
   * which promise less, at most once a millisecond.
   */
  #requireUnchanged(): void {
    const now = this.#clock();
    const path = this.durability === 'fsync' || now - this.#pathChecked >= PATH_CHECK_MILLISECONDS;
    if (this.#file.hasSize(this.#length) && !path) return;
    const there = statusOrNull(this.#files, this.#file.path);
    if (there === null || there.inode !== this.#identity.inode || there.device !== this.#identity.device) {
      const gone = there === null && statusOrNull(this.#files, dirname(this.#file.path)) === null;
      throw changed(
        'LOG_REPLACED',
        `${this.#file.path} is not the file that was opened: ${gone ? 'its directory is gone' : there === null ? 'it is gone' : 'another one is in its place'}`,
      );
    }
    const size = this.#file.size();
    if (size > this.#length) {
      throw changed(
        'LOG_GREW',
        `${this.#file.path} should have ${this.#length} bytes and has ${size}: somebody else writes to it`,
      );
    }
    if (size < this.#length) {
      throw changed(
        'LOG_SHRANK',
        `${this.#file.path} should have ${this.#length} bytes and has ${size}: somebody cut it`,
      );
    }
    this.#pathChecked = now;
  }

  /** Reads the last `bytes` bytes back and holds each record against the CRC that went with it. */
  #requireWritten(bytes: number): void {
    if (this.#isOneRecord(bytes)) {
      if (this.#readBack(0, bytes) === bytes && this.#holds(0, bytes, bytes)) return;
      throw this.#notWritten(0);
    }
    const wanted = Math.min(bytes, CHECK_SIZE);
    if (this.#check.length < wanted) this.#check = new Uint8Array(bytes > BUFFER_SIZE ? CHECK_SIZE : wanted);
    const written = this.#buffer;
    /** Buffer positions that `#check` holds. */
    let from = 0;
    let to = 0;
    for (let at = 0; at < bytes; ) {
      const end =
        written[at] === Marker.crcDelete
          ? at + CRC_DELETE_SIZE
          : at + CRC_STORE_OVERHEAD + readU32(written, at + LENGTH_FIELD_OFFSET);
      if (end > to && end - at <= this.#check.length) {
        from = at;
        to = at + this.#readBack(at, Math.min(bytes - at, this.#check.length));
      }
      const good =
        end - at <= this.#check.length
          ? end <= to && this.#holds(at - from, end - from, end)
          : this.#longHolds(at, end);
      if (!good) throw this.#notWritten(at);
      at = end;
    }
  }

  /** Whether the write is a single record that fits the check's first buffer: most are, and need no bookkeeping. */
  #isOneRecord(bytes: number): boolean {
    if (bytes > BUFFER_SIZE) return false;
    if (this.#buffer[0] === Marker.crcDelete) return bytes === CRC_DELETE_SIZE;
    return bytes === CRC_STORE_OVERHEAD + readU32(this.#buffer, LENGTH_FIELD_OFFSET);
  }

  #notWritten(at: number): VelescopeError {
    return new VelescopeError(
      'VERIFY_FAILED',
      `the record at ${this.#length + at} was written, but reading it back gives something else`,
    );
  }

  /** Whether `#check[from, to)` is the record that ends at `end` in the buffer. */
  #holds(from: number, to: number, end: number): boolean {
    const expected = readU32(this.#buffer, end - CRC_SIZE);
    return (
      readU32(this.#check, to - CRC_SIZE) === expected && crc32OfRange(this.#check, from, to - CRC_SIZE) === expected
    );
  }

  /** The same for a record longer than what is read back at once. */
  #longHolds(start: number, end: number): boolean {
    let crc = 0;
    for (let at = start; at < end - CRC_SIZE; ) {
      const count = this.#readBack(at, Math.min(end - CRC_SIZE - at, this.#check.length));
      if (count === 0) return false;
      crc = crc32(this.#check.subarray(0, count), crc);
      at += count;
    }
    if (this.#readBack(end - CRC_SIZE, CRC_SIZE) !== CRC_SIZE) return false;
    const expected = readU32(this.#buffer, end - CRC_SIZE);
    return crc === expected && readU32(this.#check, 0) === expected;
  }

  /** Reads from the file what stands at `at` in the buffer. */
  #readBack(at: number, length: number): number {
    return readFully(this.#file, this.#check, 0, length, this.#length + at);
  }
}

/** Characters up to which a text's bytes are bounded by three each, which is quicker than counting them. */
const SHORT_TEXT = 1024;

/** The most bytes that the store record of a payload may take. */
export function boundOfStore(payload: Uint8Array | string): number {
  if (typeof payload !== 'string') return payload.length + CRC_STORE_OVERHEAD;
  return CRC_STORE_OVERHEAD + (payload.length <= SHORT_TEXT ? payload.length * 3 : Buffer.byteLength(payload, 'utf8'));
}

function tooLarge(length: number): VelescopeError {
  return new VelescopeError(
    'PAYLOAD_TOO_LARGE',
    `A payload has at most ${MAX_PAYLOAD_LENGTH} bytes in this format; this one needs up to ${length}`,
    { data: { length, limit: MAX_PAYLOAD_LENGTH } },
  );
}

function changed(code: ErrorCode, message: string): VelescopeError {
  return new VelescopeError(code, message, {
    next: 'Nothing was written. Open the collection again to see what is there now.',
  });
}
