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

/** How far a run of legacy deletes behind a legacy store found by search is followed before it is believed. */
const LONGEST_RUN = 64;
/** A legacy payload longer than this without a control byte is believed to be text without being parsed. */
const LONGEST_PARSED_PAYLOAD = 64 << 20;
/** The first look at a long legacy payload; a false length runs over a control byte soon. */
const FIRST_LOOK = 64;
/** Every so many hops of a chain its answer is kept. */
const HOPS_KEPT = 16;
/** Answers of a single hop besides the next position. */
const STARTS = -1;
const STARTS_NOT = -2;
/** Work between two yields, in bytes looked at or hops. */
const STRIDE = 1 << 19;
/** The same for bytes hashed, of which a false length can ask for many. */
const HASHED_STRIDE = 16 << 20;

/** A search forward that goes on where it stopped, so that asking again costs nothing. */
interface Search {
  readonly window: Window;
  from: number;
  to: number;
  found: number;
}

/**
 * Questions about single positions of a damaged log: what do the bytes here claim, does the CRC hold, does a record start
 * here, where is the next one. Answers are kept so that a scan asks in linear work overall: searches go on where they
 * stopped, chains of damaged records meet answers kept along them, and a checksum of a long range costs no more than one of a short
 * range (`CrcRanges`).
 */
export class Probe {
  readonly size: number;
  readonly #ranges: CrcRanges;
  #zeroTail = -1;
  readonly #searches: Record<'crc' | 'any', Search>;
  /** For "is there a record behind": a window of its own, since it looks far ahead of the scan. */
  readonly #ahead: Search;
  /** A record is known to start here (the farthest known). */
  #lastFound = -1;
  /** No record is found from here on. */
  #noneFrom = Number.POSITIVE_INFINITY;
  /** Whether a record starts at a position, and until when: kept for some positions of every chain followed. */
  readonly #starts = new Map<number, { answer: boolean; until: number }>();
  /**
   * Second answer of `startsRecord` and `isSupportedLegacyStore`: the size from which on the log may give another one, because
   * this one rests on where the file ends now. Infinite where it does not.
   */
  until = Number.POSITIVE_INFINITY;
  /** The last long record that was hashed in steps, and whether its CRC held. */
  #lastLong = { from: -1, to: -1, holds: false };
  #lastJson = { from: -1, to: -1, isJson: false };
  /** What `#look` found: the bytes, and where in them the position stands. */
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  /** Further answers of `#searchPiece`. */
  #isFound = false;
  #stoppedAtLong = false;
  /** Second answer of `#peek`. */
  #end = 0;
  /** The chain last followed goes on here, and this is what it led to: the scan will ask there next. */
  #chain = { next: -1, answer: false, until: Number.POSITIVE_INFINITY };

  constructor(
    readonly source: ByteSource,
    private readonly crc32: Crc32,
  ) {
    this.size = source.size;
    this.#ranges = new CrcRanges(source, crc32);
    const search = () => ({ window: new Window(source, true), from: 0, to: 0, found: -1 });
    this.#searches = { crc: search(), any: search() };
    this.#ahead = search();
  }

  /** First offset of the run of zeros that reaches the end of the file; the size when the last byte is not zero. */
  *zeroTail(): Steps<number> {
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
      yield { done: 0, total: this.size };
    }
    this.#zeroTail = at;
    return at;
  }

  /** Makes the bytes at `position` available in `#bytes` from `#at`, without moving a window that a search walks with. */
  #look(position: number, length: number): void {
    if (this.#lookInto(this.#searches.any.window, position, length)) return;
    if (this.#lookInto(this.#searches.crc.window, position, length)) return;
    this.#bytes = this.source.read(position, length);
    this.#at = 0;
  }

  #lookInto(window: Window, position: number, length: number): boolean {
    const at = position - window.base;
    if (at < 0 || at + length > window.bytes.length) return false;
    this.#bytes = window.bytes;
    this.#at = at;
    return true;
  }

  /** What a record at `position` claims; null where the byte is no marker. */
  frame(position: number): Frame | null {
    this.#look(position, Math.min(STORE_HEADER_SIZE, this.size - position));
    const bytes = this.#bytes;
    const at = this.#at;
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
    return { kind: described.kind, format: described.format, low, high, end };
  }

  /**
   * The marker at `position` with where its record would end in `#end`: infinite where the length is cut. A `frame` costs an
   * object; chains and searches ask this by the million.
   */
  #peek(position: number): number {
    this.#look(position, Math.min(STORE_HEADER_SIZE, this.size - position));
    const marker = this.#bytes[this.#at]!;
    if (marker === Marker.crcDelete) this.#end = position + CRC_DELETE_SIZE;
    else if (marker === Marker.legacyDelete) this.#end = position + LEGACY_DELETE_SIZE;
    else if (position + STORE_HEADER_SIZE > this.size) this.#end = Number.POSITIVE_INFINITY;
    else {
      const overhead = marker === Marker.crcStore ? CRC_STORE_OVERHEAD : STORE_HEADER_SIZE;
      this.#end = position + overhead + readU32(this.#bytes, this.#at + LENGTH_FIELD_OFFSET);
    }
    return marker;
  }

  /**
   * To be asked before `intactEnd`: hashes what takes long, in steps. A length that damage made up can span the file, and whoever waits for
   * a page must not wait for all of it.
   */
  *hashLong(position: number): Steps<void> {
    if (!this.#isLong(position)) return;
    const to = this.#end;
    const computed = yield* this.#ranges.hashing(position, to - CRC_SIZE);
    const holds = computed === readU32(this.source.read(to - CRC_SIZE, CRC_SIZE), 0);
    this.#lastLong = { from: position, to, holds };
  }

  /** Whether a CRC record that takes long to hash claims to stand here; its end is in `#end` then. */
  #isLong(position: number): boolean {
    if (position + STORE_HEADER_SIZE > this.size || this.#peek(position) !== Marker.crcStore) return false;
    const { from, to } = this.#lastLong;
    if (from === position && to === this.#end) return false;
    return this.#end <= this.size && this.#ranges.isLong(this.#end - position);
  }

  /** End of the CRC record at `position` if its CRC holds, else -1. */
  intactEnd(position: number): number {
    if (position + CRC_DELETE_SIZE > this.size) return -1;
    const marker = this.#peek(position);
    if (marker === Marker.crcDelete) {
      // All of it is here: the commonest question in a file full of C4 bytes.
      const bytes = this.#bytes;
      const stored = this.#at + CRC_DELETE_SIZE - CRC_SIZE;
      return this.crc32(bytes.subarray(this.#at, stored)) === readU32(bytes, stored) ? position + CRC_DELETE_SIZE : -1;
    }
    const end = this.#end;
    return marker === Marker.crcStore && end <= this.size && this.crcHolds(position, end) ? end : -1;
  }

  /** The size from which on a record that is cut by the end now may be intact; infinite where none is. */
  mayBecomeIntactAt(position: number): number {
    const format = describeMarker(this.#peek(position))?.format;
    if (format !== 'crc' || this.#end <= this.size) return Number.POSITIVE_INFINITY;
    return Number.isFinite(this.#end) ? this.#end : this.size + 1;
  }

  /** Whether the last four bytes of [from, to) are the CRC of those before them. */
  crcHolds(from: number, to: number): boolean {
    const last = this.#lastLong;
    if (last.from === from && last.to === to) return last.holds;
    const computed = this.#ranges.crc(from, to - CRC_SIZE);
    return computed === readU32(this.source.read(to - CRC_SIZE, CRC_SIZE), 0);
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
    // JSON holds no control bytes: a little of a long payload tells, before the whole is taken into memory.
    for (let at = from, piece = FIRST_LOOK; length > FIRST_LOOK && at < to; ) {
      for (const byte of this.source.read(at, Math.min(piece, to - at))) {
        if (byte < 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return false;
      }
      at += piece;
      piece = Math.min(piece * 8, WINDOW_SIZE);
    }
    if (length > LONGEST_PARSED_PAYLOAD) return true;
    const bytes = this.source.read(from, length);
    return isJsonText(bytes, 0, bytes.length);
  }

  /**
   * Whether a record that is intact, or sound in its framing, starts at `position`: what makes the length of the record before
   * it believed. A CRC-failed record or a legacy delete counts if what follows it does. There is no limit to such a chain: a log may
   * hold nothing but legacy deletes, and a limit would make the answer depend on where the question was asked first.
   */
  *startsRecord(position: number): Steps<boolean> {
    const chain = this.#chain;
    if (position !== chain.next) {
      chain.answer = yield* this.#followChain(position);
      chain.until = this.until;
    }
    // Of a position that only leads on, the next one has the same answer.
    const leadsOn = position < this.size && this.#hop(position) > position;
    chain.next = leadsOn ? this.#end : -1;
    this.until = chain.until;
    return chain.answer;
  }

  *#followChain(from: number): Steps<boolean> {
    const kept: number[] = [];
    let position = from;
    let answer: boolean | undefined;
    this.until = Number.POSITIVE_INFINITY;
    for (let hop = 1; answer === undefined; hop++) {
      const known = this.#starts.get(position);
      if (known) {
        this.until = known.until;
        answer = known.answer;
        break;
      }
      if (position >= this.size) {
        answer = position === this.size;
        this.until = this.size + 1;
      } else {
        if (this.#isLong(position)) yield* this.hashLong(position);
        const next = this.#hop(position);
        if (next === STARTS) answer = true;
        else if (next === STARTS_NOT) answer = false;
        else if (next > this.size) {
          // Cut by the end of the file: the last record, if nothing comes after.
          answer = !(yield* this.#isRecordFrom(position + 1));
          this.until = answer || next === Number.POSITIVE_INFINITY ? this.size + 1 : next;
        } else {
          if (hop % HOPS_KEPT === 0) kept.push(position);
          position = next;
        }
      }
      if (hop % STRIDE === 0) yield { done: position, total: this.size };
    }
    kept.push(position);
    for (const at of kept) this.#starts.set(at, { answer, until: this.until });
    return answer;
  }

  /** Whether a record starts here, where this position alone tells; else where the one it claims ends, also in `#end`. */
  #hop(position: number): number {
    const marker = this.#peek(position);
    const end = this.#end;
    if (marker === Marker.legacyDelete || end > this.size) return describeMarker(marker) ? end : STARTS_NOT;
    let starts: boolean;
    if (marker === Marker.legacyStore) starts = this.legacyPayloadIsJson(position, end);
    else if (marker === Marker.crcStore || marker === Marker.crcDelete) {
      starts = this.intactEnd(position) >= 0;
      this.#end = end;
      if (!starts) return end;
    } else starts = false;
    return starts ? STARTS : STARTS_NOT;
  }

  /** Whether a record is found at or behind `from`, to the end of the file. */
  *#isRecordFrom(from: number): Steps<boolean> {
    if (from <= this.#lastFound) return true;
    if (from >= this.#noneFrom) return false;
    const found = yield* this.#search(this.#ahead, from, this.size, true);
    if (found >= 0) this.#lastFound = found;
    else this.#noneFrom = from;
    return found >= 0;
  }

  /**
   * Whether the chain after a legacy store found by search supports it: its payload is JSON, and what follows (over tombstones)
   * is the end of the file, an intact record, another legacy store with JSON, or a record cut by the end.
   */
  isSupportedLegacyStore(position: number): boolean {
    this.#peek(position);
    const end = this.#end;
    this.until = Number.POSITIVE_INFINITY;
    if (end > this.size || !this.legacyPayloadIsJson(position, end)) return false;
    position = end;
    for (let hop = 0; hop < LONGEST_RUN; hop++) {
      if (position === this.size) {
        this.until = this.size + 1;
        return true;
      }
      const marker = this.#peek(position);
      const next = this.#end;
      if (!describeMarker(marker)) return false;
      if (next > this.size) {
        this.until = this.size + 1;
        return true;
      }
      if (marker === Marker.legacyStore) return this.legacyPayloadIsJson(position, next);
      if (marker !== Marker.legacyDelete) return this.intactEnd(position) >= 0;
      position = next;
    }
    return true;
  }

  /**
   * The first offset in [from, limit) where a record is found: for `crc`, marker, plausible length and CRC agree; for `any`,
   * also a legacy store that its chain supports. -1 when there is none. A legacy delete is never found by search: nine bytes that
   * begin with 02 are no evidence.
   */
  *search(from: number, limit: number, what: 'crc' | 'any'): Steps<number> {
    return yield* this.#search(this.#searches[what], from, limit, what === 'any');
  }

  *#search(search: Search, from: number, limit: number, legacyToo: boolean): Steps<number> {
    if (from < search.from || from > search.to || (search.found >= 0 && from > search.found)) {
      search.from = from;
      search.to = from;
      search.found = -1;
    }
    while (search.found < 0 && search.to < limit) {
      if (this.#ranges.wantsCheckpoints) yield* this.#ranges.layDown();
      const to = Math.min(limit, search.to + STRIDE);
      const stopped = this.#searchPiece(search.window, search.to, to, legacyToo);
      if (this.#isFound) search.found = stopped;
      search.to = stopped;
      // Judged by the next piece, which finds the answer there.
      if (this.#stoppedAtLong) yield* this.hashLong(stopped);
      if (search.found < 0) yield { done: search.to, total: this.size };
    }
    return search.found >= 0 && search.found < limit ? search.found : -1;
  }

  /** Where it stopped: at a record, with `#isFound` set, at `to`, or where it has hashed enough for now. */
  #searchPiece(window: Window, from: number, to: number, legacyToo: boolean): number {
    const { size } = this;
    const hashed = this.#ranges.direct;
    this.#isFound = false;
    this.#stoppedAtLong = false;
    for (let position = from; position < to; position++) {
      window.load(position, Math.min(STORE_HEADER_SIZE, size - position));
      const { bytes, base } = window;
      const stop = Math.min(to - base, bytes.length);
      // The last few bytes of a window that is not the last have no room for a header: they come first in the next one.
      const whole = base + bytes.length < size ? Math.min(stop, bytes.length - STORE_HEADER_SIZE + 1) : stop;
      let at = position - base;
      for (; at < whole; at++) {
        const byte = bytes[at]!;
        if (byte === Marker.crcStore) {
          // The cheap test first: most C3 bytes are followed by a length that does not fit.
          if (at + STORE_HEADER_SIZE > bytes.length) continue;
          if (base + at + CRC_STORE_OVERHEAD + readU32(bytes, at + LENGTH_FIELD_OFFSET) <= size) break;
        } else if (byte === Marker.crcDelete) break;
        else if (legacyToo && byte === Marker.legacyStore) break;
      }
      position = base + at;
      if (at >= whole) {
        // The loop's own step leads to the first byte not looked at.
        position--;
        continue;
      }
      if (this.#ranges.wantsCheckpoints || this.#ranges.direct - hashed > HASHED_STRIDE) return position;
      this.#stoppedAtLong =
        bytes[at] === Marker.crcStore &&
        this.#ranges.isLong(readU32(bytes, at + LENGTH_FIELD_OFFSET)) &&
        this.#isLong(position);
      if (this.#stoppedAtLong) return position;
      this.#isFound =
        bytes[at] === Marker.legacyStore ? this.isSupportedLegacyStore(position) : this.intactEnd(position) >= 0;
      if (this.#isFound) return position;
    }
    return to;
  }
}
