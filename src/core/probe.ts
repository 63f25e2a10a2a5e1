import type { ByteSource } from './byte-source.ts';
import { CrcRanges } from './crc-ranges.ts';
import { isJsonText } from './json/check.ts';
import {
  CRC_DELETE_SIZE,
  CRC_SIZE,
  CRC_STORE_OVERHEAD,
  type Crc32,
  describeMarker,
  LEGACY_DELETE_SIZE,
  LENGTH_FIELD_OFFSET,
  Marker,
  type RecordFormat,
  type RecordKind,
  STORE_HEADER_SIZE,
} from './record.ts';
import type { Steps } from './steps.ts';
import { readU32 } from './u64.ts';
import { WINDOW_SIZE, Window } from './window.ts';

/** What the bytes at a position claim to be. */
export interface Frame {
  kind: RecordKind;
  format: RecordFormat;
  /** Null where fewer than nine bytes are left. */
  low: number | null;
  high: number | null;
  /** Where the record would end; null where the length field is cut. May lie beyond the end of the file. */
  end: number | null;
}

/** How far a chain of damaged records or tombstones is followed before it is believed. */
const LONGEST_CHAIN = 64;
/** A legacy payload longer than this without a control byte is believed to be text without being parsed. */
const LONGEST_PARSED_PAYLOAD = 256 << 20;

/**
 * Questions about single positions of a damaged log: what do the bytes here claim, does the CRC hold, does a record start
 * here, where is the next one. Answers are cached so that a scan asks in linear work overall.
 */
export class Probe {
  readonly size: number;
  readonly #window: Window;
  readonly #ranges: CrcRanges;
  #zeroTail = -1;
  readonly #searches = {
    crc: { from: 0, to: 0, found: -1 },
    any: { from: 0, to: 0, found: -1 },
  };
  #lastJson = { from: -1, to: -1, isJson: false };

  constructor(
    readonly source: ByteSource,
    crc32: Crc32,
  ) {
    this.size = source.size;
    this.#window = new Window(source, true);
    this.#ranges = new CrcRanges(source, crc32);
  }

  /** First offset of the run of zeros that reaches the end of the file; the size when the last byte is not zero. */
  zeroTail(): number {
    if (this.#zeroTail >= 0) return this.#zeroTail;
    let at = this.size;
    outer: while (at > 0) {
      const from = Math.max(0, at - WINDOW_SIZE);
      const bytes = this.source.read(from, at - from);
      for (let index = bytes.length - 1; index >= 0; index--) {
        if (bytes[index] !== 0) {
          at = from + index + 1;
          break outer;
        }
      }
      at = from;
    }
    this.#zeroTail = at;
    return at;
  }

  /** What a record at `position` claims; null where the byte is no marker. */
  frame(position: number): Frame | null {
    this.#window.load(position, STORE_HEADER_SIZE);
    const { bytes, base } = this.#window;
    const at = position - base;
    const described = describeMarker(bytes[at]!);
    if (!described) return null;
    const left = this.size - position;
    const hasId = left >= LENGTH_FIELD_OFFSET;
    const low = hasId ? readU32(bytes, at + 1) : null;
    const high = hasId ? readU32(bytes, at + 5) : null;
    let end: number | null = null;
    if (described.kind === 'delete') {
      end = position + (described.format === 'crc' ? CRC_DELETE_SIZE : LEGACY_DELETE_SIZE);
    } else if (left >= STORE_HEADER_SIZE) {
      const overhead = described.format === 'crc' ? CRC_STORE_OVERHEAD : STORE_HEADER_SIZE;
      end = position + overhead + readU32(bytes, at + LENGTH_FIELD_OFFSET);
    }
    return { ...described, low, high, end };
  }

  /** End of the CRC record at `position` if its CRC holds, else -1. */
  intactEnd(position: number): number {
    if (position + CRC_DELETE_SIZE > this.size) return -1;
    this.#window.load(position, STORE_HEADER_SIZE);
    const { bytes, base } = this.#window;
    const at = position - base;
    const marker = bytes[at];
    let end: number;
    if (marker === Marker.crcStore) {
      end = position + CRC_STORE_OVERHEAD + readU32(bytes, at + LENGTH_FIELD_OFFSET);
      if (end > this.size) return -1;
    } else if (marker === Marker.crcDelete) {
      end = position + CRC_DELETE_SIZE;
    } else {
      return -1;
    }
    const computed = this.#ranges.crc(position, end - CRC_SIZE);
    const stored = readU32(this.source.read(end - CRC_SIZE, CRC_SIZE), 0);
    return computed === stored ? end : -1;
  }

  /** Whether the payload of the legacy store that claims [position, end) is JSON text. */
  legacyPayloadIsJson(position: number, end: number): boolean {
    const from = position + STORE_HEADER_SIZE;
    const last = this.#lastJson;
    if (last.from === from && last.to === end) return last.isJson;
    const isJson = this.#isJson(from, end);
    this.#lastJson = { from, to: end, isJson };
    return isJson;
  }

  #isJson(from: number, to: number): boolean {
    if (to === from) return false;
    const length = to - from;
    if (length > WINDOW_SIZE) {
      // JSON holds no control bytes, and a false length soon runs over one: look before taking the whole into memory.
      for (let at = from; at < to; at += WINDOW_SIZE) {
        for (const byte of this.source.read(at, Math.min(WINDOW_SIZE, to - at))) {
          if (byte < 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return false;
        }
      }
      if (length > LONGEST_PARSED_PAYLOAD) return true;
    }
    const bytes = this.source.read(from, length);
    return isJsonText(bytes, 0, bytes.length);
  }

  /**
   * Whether a record that is intact, or sound in its framing, starts at `position`: what makes the length of the record before
   * it believed. A CRC-failed record or a legacy delete counts if what follows it does.
   */
  startsRecord(position: number): boolean {
    for (let hop = 0; hop < LONGEST_CHAIN; hop++) {
      if (position >= this.size) return position === this.size;
      if (this.intactEnd(position) >= 0) return true;
      const frame = this.frame(position);
      if (!frame) return false;
      if (frame.end === null || frame.end > this.size) {
        // Cut by the end of the file: the last record, if nothing intact comes after.
        return this.#searchToEnd(position + 1) < 0;
      }
      if (frame.format === 'legacy' && frame.kind === 'store') return this.legacyPayloadIsJson(position, frame.end);
      position = frame.end;
    }
    return true;
  }

  /**
   * Whether the chain after a legacy store found by search supports it: its payload is JSON, and what follows (over tombstones)
   * is the end of the file, an intact record, another legacy store with JSON, or a record cut by the end.
   */
  #isSupportedLegacyStore(position: number): boolean {
    const frame = this.frame(position);
    if (frame?.end == null || frame.end > this.size) return false;
    if (!this.legacyPayloadIsJson(position, frame.end)) return false;
    position = frame.end;
    for (let hop = 0; hop < LONGEST_CHAIN; hop++) {
      if (position === this.size) return true;
      if (this.intactEnd(position) >= 0) return true;
      const next = this.frame(position);
      if (!next) return false;
      if (next.end === null || next.end > this.size) return true;
      if (next.format === 'crc') return false;
      if (next.kind === 'store') return this.legacyPayloadIsJson(position, next.end);
      position = next.end;
    }
    return true;
  }

  #searchToEnd(from: number): number {
    const steps = this.search(from, this.size, 'any');
    for (;;) {
      const step = steps.next();
      if (step.done) return step.value;
    }
  }

  /**
   * The first offset in [from, limit) where a record is found: for `crc`, marker, plausible length and CRC agree; for `any`,
   * also a legacy store that its chain supports. -1 when there is none. A legacy delete is never found by search: nine bytes that
   * begin with 02 are no evidence.
   */
  *search(from: number, limit: number, what: 'crc' | 'any'): Steps<number> {
    const cache = this.#searches[what];
    if (from < cache.from || from > cache.to || (cache.found >= 0 && from > cache.found)) {
      cache.from = from;
      cache.to = from;
      cache.found = -1;
    }
    while (cache.found < 0 && cache.to < limit) {
      const to = Math.min(limit, cache.to + (WINDOW_SIZE >> 1));
      cache.found = this.#searchPiece(cache.to, to, what === 'any');
      cache.to = cache.found >= 0 ? cache.found : to;
      if (cache.found < 0) yield { done: cache.to, total: this.size };
    }
    return cache.found >= 0 && cache.found < limit ? cache.found : -1;
  }

  #searchPiece(from: number, to: number, legacyToo: boolean): number {
    for (let position = from; position < to; ) {
      this.#window.load(position, Math.min(WINDOW_SIZE, this.size - position));
      const { bytes, base } = this.#window;
      const stop = Math.min(to - base, bytes.length);
      let at = position - base;
      for (; at < stop; at++) {
        const byte = bytes[at]!;
        if (byte === Marker.crcStore) {
          // The cheap test first: most C3 bytes are followed by a length that does not fit.
          if (at + STORE_HEADER_SIZE <= bytes.length) {
            const end = base + at + CRC_STORE_OVERHEAD + readU32(bytes, at + LENGTH_FIELD_OFFSET);
            if (end <= this.size) break;
          } else break;
        } else if (byte === Marker.crcDelete) break;
        else if (legacyToo && byte === Marker.legacyStore) break;
      }
      position = base + at;
      if (at >= stop) continue;
      const found =
        bytes[at] === Marker.legacyStore ? this.#isSupportedLegacyStore(position) : this.intactEnd(position) >= 0;
      if (found) return position;
      position++;
    }
    return -1;
  }
}
