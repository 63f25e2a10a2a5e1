import type { ByteSource } from '../../core/byte-source.ts';
import { VelescopeError } from '../../shared/errors.ts';
import type { OpenFile } from './files.ts';
import { readFully } from './files.ts';

/** Read for a request that does not follow the one before: covers a small record, length and payload, in one call. */
const RANDOM_WINDOW = 4 << 10;
/** The window of a pass through the file. Larger ones gained nothing; smaller ones cost system calls. */
const SEQUENTIAL_WINDOW = 1 << 20;

/**
 * A byte source over an open file. Keeps one window of the file in memory: small where requests jump, growing while they
 * follow each other. The file is only ever appended to, so a window never goes stale; `extendTo` makes new bytes visible.
 * A file that was cut behind our back answers with fewer bytes.
 */
export class FileSource implements ByteSource {
  #size: number;
  readonly #file: OpenFile;
  #buffer: Uint8Array = new Uint8Array(RANDOM_WINDOW);
  /** The window is `#buffer[0, #length)`, which holds the file from `#start`. */
  #start = 0;
  #length = 0;
  #window = RANDOM_WINDOW;

  /** `size` bounds what can be read; the file's size now unless given. The caller keeps the file open, and closes it. */
  constructor(file: OpenFile, size: number = file.size()) {
    this.#file = file;
    this.#size = size;
  }

  get size(): number {
    return this.#size;
  }

  /** Makes bytes appended since visible. */
  extendTo(size: number): void {
    this.#size = size;
  }

  /** See `ByteSource.read`: the view is valid until the next call. System errors of the read pass through. */
  read(offset: number, length: number): Uint8Array {
    const wanted = Math.min(length, this.#size - offset);
    if (wanted <= 0) return NOTHING;
    const at = offset - this.#start;
    if (at < 0 || at + wanted > this.#length) return this.#fill(offset, wanted);
    return this.#buffer.subarray(at, at + wanted);
  }

  #fill(offset: number, wanted: number): Uint8Array {
    const follows = offset >= this.#start && offset <= this.#start + this.#length + RANDOM_WINDOW && this.#length > 0;
    this.#window = follows ? Math.min(this.#window * 16, SEQUENTIAL_WINDOW) : RANDOM_WINDOW;
    const length = Math.min(Math.max(wanted, this.#window), this.#size - offset);
    if (length > SEQUENTIAL_WINDOW) {
      // One large payload must not leave its size in memory for good.
      const whole = new Uint8Array(length);
      return whole.subarray(0, readFully(this.#file, whole, 0, length, offset));
    }
    if (this.#buffer.length < length) this.#buffer = new Uint8Array(follows ? SEQUENTIAL_WINDOW : length);
    // Nothing is in the window while the read may still fail.
    this.#length = 0;
    this.#start = offset;
    this.#length = readFully(this.#file, this.#buffer, 0, length, offset);
    return this.#buffer.subarray(0, Math.min(wanted, this.#length));
  }
}

const NOTHING = new Uint8Array();

/**
 * The same bytes for a pass over all of them: LOG_SHRANK where the file ends before the source does. Without, a scan would take bytes
 * that are gone for damage, and ask the system again for each of them.
 */
export function refuseShortReads(source: ByteSource): ByteSource {
  const { size } = source;
  return {
    size,
    read(offset, length) {
      const bytes = source.read(offset, length);
      if (bytes.length >= Math.min(length, size - offset)) return bytes;
      throw new VelescopeError(
        'LOG_SHRANK',
        `payloads.log became shorter while it was read: it had ${size} bytes and ends at ${offset + bytes.length} now.`,
        { next: 'Read the log again to see what is there now.' },
      );
    },
  };
}
