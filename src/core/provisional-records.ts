import { LENGTH_FIELD_OFFSET } from './record.ts';
import type { Snapshot } from './snapshot.ts';
import { markerOf } from './snapshot-settle.ts';
import type { Steps } from './steps.ts';

/**
 * Entries that share a bucket where records are spread evenly (2^10): few enough to be put in order when they are looked at, and so
 * many that the buckets being filled stay in the processor's cache.
 */
const PER_BUCKET_BITS = 10;
const MOST_BUCKETS = 1 << 20;
/** A bucket fuller than this would hold up whoever looks at it. */
const MOST_IN_BUCKET = 1 << 16;
/** Entries handled between two yields. */
const STRIDE = 1 << 14;

/**
 * The records a snapshot names, in the order of the log, before anything is known of the log itself: what stands there has to be
 * looked at record by record (`StoreReader`). Positions count from 0; entries are those of the snapshot.
 *
 * The order is made in two passes over the entries, into buckets of equal byte ranges; a bucket is put in order when it is first
 * looked at. Sorting all of them would take several times as long and three times the memory, for a list that is wanted for seconds.
 */
export class ProvisionalRecords {
  readonly #sorted: Uint8Array;

  private constructor(
    readonly snapshot: Snapshot,
    /** Entries by bucket. */
    readonly order: Uint32Array,
    /** Where each bucket starts in `order`; one more at the end. */
    private readonly starts: Uint32Array,
    /** Bytes of the log a bucket stands for. */
    private readonly width: number,
  ) {
    this.#sorted = new Uint8Array(starts.length);
  }

  /**
   * Of a snapshot whose own bytes passed every check, for a log of `size` bytes. Entries that point out of the log have no place in
   * its order and are not listed; nor is any where so many point into one place that no honest snapshot could (`find` finds them all).
   */
  static *of(snapshot: Snapshot, size: number): Steps<ProvisionalRecords> {
    const { count } = snapshot;
    let most = Math.min(MOST_BUCKETS, (count >>> PER_BUCKET_BITS) + 1);
    for (;;) {
      // A power of two: the division is exact, and costs no more than a multiplication.
      const width = 2 ** Math.ceil(Math.log2(Math.max(1, size / most)));
      const starts = yield* countBuckets(snapshot, size, width);
      if (starts) return yield* ProvisionalRecords.#fill(snapshot, size, width, starts);
      // Most records lie in a small part of the log.
      if (most === MOST_BUCKETS) return new ProvisionalRecords(snapshot, new Uint32Array(0), new Uint32Array(2), width);
      most = MOST_BUCKETS;
    }
  }

  static *#fill(snapshot: Snapshot, size: number, width: number, starts: Uint32Array): Steps<ProvisionalRecords> {
    const { count } = snapshot;
    const words = new Uint32Array(STRIDE * 4);
    const order = new Uint32Array(starts[starts.length - 1]!);
    const next = starts.slice();
    for (let from = 0; from < count; from += STRIDE) {
      const entries = Math.min(count - from, STRIDE);
      snapshot.copyEntries(from, from + entries, words);
      for (let at = 0; at < entries; at++) {
        const marker = markerIn(words, at);
        if (marker >= 0 && marker < size) order[next[(marker / width) | 0]!++] = from + at;
      }
      yield { done: count + from, total: 2 * count };
    }
    return new ProvisionalRecords(snapshot, order, starts, width);
  }

  /** How many records are listed. */
  get listed(): number {
    return this.order.length;
  }

  idLow(entry: number): number {
    return this.snapshot.idLow(entry);
  }

  idHigh(entry: number): number {
    return this.snapshot.idHigh(entry);
  }

  /** Where the record's marker is said to be; negative or infinite where no log could have it. */
  marker(entry: number): number {
    return markerOf(this.snapshot, entry);
  }

  /** The same for what is shown, exact also where it is out of every log's range. */
  exactMarker(entry: number): bigint {
    return this.snapshot.offset(entry) - BigInt(LENGTH_FIELD_OFFSET);
  }

  /** The entry at a position of the list. */
  entryAt(position: number): number {
    // The last bucket that starts at or before the position; empty ones before it start there as well.
    let low = 0;
    let high = this.starts.length - 2;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.starts[middle]! <= position) low = middle;
      else high = middle - 1;
    }
    this.#sort(low);
    return this.order[position]!;
  }

  /** The first position whose record starts at or after `offset`; `listed` where there is none. */
  positionFrom(offset: number): number {
    const bucket = Math.floor(Math.max(0, offset) / this.width);
    if (this.listed === 0 || bucket >= this.starts.length - 1) return this.listed;
    this.#sort(bucket);
    let low = this.starts[bucket]!;
    let high = this.starts[bucket + 1]!;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.marker(this.order[middle]!) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The position of an entry, or -1 where it is not listed. */
  positionOf(entry: number): number {
    const marker = this.marker(entry);
    if (!(marker >= 0)) return -1;
    for (let position = this.positionFrom(marker); position < this.listed; position++) {
      const other = this.entryAt(position);
      if (other === entry) return position;
      if (this.marker(other) !== marker) break;
    }
    return -1;
  }

  /** The entry of an id, the last where it stands twice, as VelesDB takes it; -1 where there is none. An index would cost more. */
  *find(low: number, high: number): Steps<number> {
    const { snapshot } = this;
    const words = new Uint32Array(STRIDE * 4);
    for (let to = snapshot.count; to > 0; to -= STRIDE) {
      const from = Math.max(0, to - STRIDE);
      snapshot.copyEntries(from, to, words);
      for (let at = to - from - 1; at >= 0; at--) {
        if (words[at * 4] === low && words[at * 4 + 1] === high) return from + at;
      }
      yield { done: snapshot.count - from, total: snapshot.count };
    }
    return -1;
  }

  #sort(bucket: number): void {
    if (this.#sorted[bucket] === 1) return;
    this.#sorted[bucket] = 1;
    this.order
      .subarray(this.starts[bucket]!, this.starts[bucket + 1]!)
      .sort((a, b) => this.marker(a) - this.marker(b) || a - b);
  }
}

/**
 * How many entries come before each bucket of `width` bytes, and at the end how many there are; null where a bucket holds more than can
 * be put in order at once.
 */
function* countBuckets(snapshot: Snapshot, size: number, width: number): Steps<Uint32Array | null> {
  const { count } = snapshot;
  const starts = new Uint32Array(Math.floor(size / width) + 2);
  const words = new Uint32Array(STRIDE * 4);
  for (let from = 0; from < count; from += STRIDE) {
    const entries = Math.min(count - from, STRIDE);
    snapshot.copyEntries(from, from + entries, words);
    for (let at = 0; at < entries; at++) {
      const marker = markerIn(words, at);
      if (marker >= 0 && marker < size) starts[((marker / width) | 0) + 1]!++;
    }
    yield { done: from, total: 2 * count };
  }
  for (let bucket = 1; bucket < starts.length; bucket++) {
    if (starts[bucket]! > MOST_IN_BUCKET) return null;
    starts[bucket]! += starts[bucket - 1]!;
  }
  return starts;
}

/** The same as `markerOf`, of an entry copied into whole words. */
function markerIn(words: Uint32Array, at: number): number {
  const high = words[at * 4 + 3]!;
  if (high >= 0x20_0000) return Number.POSITIVE_INFINITY;
  return high * 0x1_0000_0000 + words[at * 4 + 2]! - LENGTH_FIELD_OFFSET;
}
