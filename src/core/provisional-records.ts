import { LENGTH_FIELD_OFFSET } from './record.ts';
import type { Snapshot } from './snapshot.ts';
import { markerOf } from './snapshot-settle.ts';
import type { Steps } from './steps.ts';

/** Entries that share a bucket where records are spread evenly: few enough to be put in order when they are looked at. */
const PER_BUCKET_BITS = 6;
const MOST_BUCKETS = 1 << 20;
/** A bucket fuller than this would hold up whoever looks at it. */
const MOST_IN_BUCKET = 1 << 16;
/** Entries handled between two yields. */
const STRIDE = 1 << 16;

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
    const buckets = Math.min(MOST_BUCKETS, (count >>> PER_BUCKET_BITS) + 1);
    const width = Math.max(1, Math.ceil(size / buckets));
    const starts = new Uint32Array(buckets + 1);
    for (let from = 0; from < count; from += STRIDE) {
      const to = Math.min(count, from + STRIDE);
      for (let entry = from; entry < to; entry++) {
        const marker = markerOf(snapshot, entry);
        if (marker >= 0 && marker < size) starts[Math.floor(marker / width) + 1]!++;
      }
      yield { done: from, total: 2 * count };
    }
    let fullest = 0;
    for (let bucket = 0; bucket < buckets; bucket++) {
      fullest = Math.max(fullest, starts[bucket + 1]!);
      starts[bucket + 1]! += starts[bucket]!;
    }
    if (fullest > MOST_IN_BUCKET) return new ProvisionalRecords(snapshot, new Uint32Array(0), new Uint32Array(2), size);
    const order = new Uint32Array(starts[buckets]!);
    const next = starts.slice();
    for (let from = 0; from < count; from += STRIDE) {
      const to = Math.min(count, from + STRIDE);
      for (let entry = from; entry < to; entry++) {
        const marker = markerOf(snapshot, entry);
        if (marker >= 0 && marker < size) order[next[Math.floor(marker / width)]!++] = entry;
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
    for (let to = snapshot.count; to > 0; to -= STRIDE) {
      const from = Math.max(0, to - STRIDE);
      for (let entry = to - 1; entry >= from; entry--) {
        if (snapshot.idLow(entry) === low && snapshot.idHigh(entry) === high) return entry;
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
