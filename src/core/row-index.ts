import { hashU64 } from './id-index.ts';

/** The columns an index finds its keys in; they may be replaced by larger ones between calls. */
export interface IdColumns {
  idLow: Uint32Array;
  idHigh: Uint32Array;
}

/** What a slot without an entry holds, and what `find` answers where there is none. */
export const NO_ROW = 0;

const FIRST_CAPACITY = 1 << 10;
/** Ids that differ only in so many lowest bits share a run of slots. */
const RUN_BITS = 4;
const RUN = 1 << RUN_BITS;
/** At most so many rows are put in at once: a few milliseconds. */
export const BATCH = 1 << 18;
/** An index of up to so many slots lies in the cache as it is. */
const CACHED_SLOTS = 1 << 16;
/** A batch is sorted into pieces of so many slots, unless that makes too many pieces. */
const PIECE_BITS = 10;
const MOST_PIECES_BITS = 14;
/** From so many rows on, the share of new ids says what is to come. */
const SAMPLE = 1 << 15;

/**
 * id → newest row, for a table that keeps the ids in columns: five bytes a slot and no key. Open addressing; a tag of eight bits of
 * the hash a slot, so that a probe looks at the columns only where an entry is the one sought, or one time in 255.
 *
 * The index of a long log is far larger than the caches, and put in row by row most of the time would go into waiting for memory.
 * Two things against that. Ids come in sequence more often than not, so the hash leaves RUN ids that differ only in their lowest bits
 * side by side; the lowest bits choose a lane, and probing stays in the lane, run by run, so that full runs do not pile up as they
 * would if probing went from slot to slot. And a batch is put in sorted by slot (a stable counting sort by the uppermost bits), so
 * that ids in no order at all walk through the index instead of jumping in it.
 */
export class RowIndex {
  #size = 0;
  #mask = FIRST_CAPACITY - 1;
  /** Row + 1. */
  #heads = new Uint32Array(FIRST_CAPACITY);
  #tags = new Uint8Array(FIRST_CAPACITY);
  /** Mixed into every id, so that nobody can choose ids that all meet in one slot. */
  readonly #seed = (Math.random() * 0x1_0000_0000) >>> 0;

  constructor(private readonly columns: IdColumns) {}

  /** How many ids there are. */
  get size(): number {
    return this.#size;
  }

  /** Row + 1 of an id's entry, NO_ROW where there is none. */
  find(low: number, high: number): number {
    return this.#heads[this.#slotOf(low, high, this.#hash(low, high))]!;
  }

  /**
   * Makes each of the rows [from, to), at most BATCH, the entry of its id, in order, and puts what was the entry before into `previous`.
   * Rows for which `skips[kinds[row]]` is not 0 are left out.
   * @param expectedRows how many rows there will be in all; only a hint.
   */
  putBatch(
    from: number,
    to: number,
    previous: Uint32Array,
    kinds: Uint8Array,
    skips: Uint8Array,
    expectedRows: number,
  ): void {
    if ((this.#size + to - from) * 4 > this.#heads.length * 3) this.#grow(from, to - from, expectedRows);
    const count = this.#sort(from, to, kinds, skips);
    const { rows, hashes } = scratch();
    const { idLow, idHigh } = this.columns;
    const heads = this.#heads;
    const tags = this.#tags;
    const mask = this.#mask;
    const seed = this.#seed;
    let size = this.#size;
    for (let at = 0; at < count; at++) {
      const row = rows[at]!;
      const hash = hashes[at]!;
      const tag = hash >>> 24 || 1;
      let slot = homeOf(hash, idLow[row]! ^ seed) & mask;
      let before = NO_ROW;
      for (let found = tags[slot]!; found !== 0; found = tags[slot]!) {
        if (found === tag) {
          const head = heads[slot]!;
          if (idLow[head - 1] === idLow[row] && idHigh[head - 1] === idHigh[row]) {
            before = head;
            break;
          }
        }
        slot += RUN;
        if (slot > mask) slot = (slot + 1) & (RUN - 1);
      }
      heads[slot] = row + 1;
      previous[row] = before;
      if (before === NO_ROW) {
        tags[slot] = tag;
        size++;
      }
    }
    this.#size = size;
  }

  /** Undoes a `putBatch` for the newest row of all: its id's entry is again what it was before, NO_ROW for none. */
  takeBack(row: number, before: number): void {
    const { idLow, idHigh } = this.columns;
    const slot = this.#slotOf(idLow[row]!, idHigh[row]!, this.#hash(idLow[row]!, idHigh[row]!));
    if (before !== NO_ROW) this.#heads[slot] = before;
    else this.#remove(slot);
  }

  #hash(low: number, high: number): number {
    return hashOfRun(low ^ this.#seed, high);
  }

  /** Where an id's entry is, or where it would go. */
  #slotOf(low: number, high: number, hash: number): number {
    const heads = this.#heads;
    const tags = this.#tags;
    const mask = this.#mask;
    const { idLow, idHigh } = this.columns;
    const tag = hash >>> 24 || 1;
    let slot = homeOf(hash, low ^ this.#seed) & mask;
    for (let found = tags[slot]!; found !== 0; found = tags[slot]!) {
      if (found === tag) {
        const head = heads[slot]!;
        if (idLow[head - 1] === low && idHigh[head - 1] === high) return slot;
      }
      slot += RUN;
      if (slot > mask) slot = (slot + 1) & (RUN - 1);
    }
    return slot;
  }

  /** A slot's place in the order in which probing passes them: lane by lane, run by run. */
  #place(slot: number): number {
    return (slot & (RUN - 1)) * (this.#heads.length >>> RUN_BITS) + (slot >>> RUN_BITS);
  }

  /** Empties a slot, and shifts later entries back, so that no tombstones ever pile up. */
  #remove(emptied: number): void {
    const heads = this.#heads;
    const tags = this.#tags;
    const mask = this.#mask;
    const { idLow, idHigh } = this.columns;
    let hole = emptied;
    let slot = emptied;
    for (;;) {
      slot += RUN;
      if (slot > mask) slot = (slot + 1) & (RUN - 1);
      if (tags[slot] === 0) break;
      const row = heads[slot]! - 1;
      const home = homeOf(this.#hash(idLow[row]!, idHigh[row]!), idLow[row]! ^ this.#seed) & mask;
      // An entry may move into the hole only if its home is not between the hole and itself.
      const fromHome = (this.#place(slot) - this.#place(home)) & mask;
      if (fromHome >= ((this.#place(slot) - this.#place(hole)) & mask)) {
        heads[hole] = heads[slot]!;
        tags[hole] = tags[slot]!;
        hole = slot;
      }
    }
    heads[hole] = NO_ROW;
    tags[hole] = 0;
    this.#size--;
  }

  /** Puts the rows [from, to) that are not skipped into the scratch, with their hashes, sorted by slot. Returns how many. */
  #sort(from: number, to: number, kinds: Uint8Array, skips: Uint8Array): number {
    const { idLow, idHigh } = this.columns;
    const { rows, hashes, unsortedRows, unsortedHashes, places } = scratch();
    const seed = this.#seed;
    const bits = Math.log2(this.#heads.length);
    const sorts = this.#heads.length > CACHED_SLOTS && to - from > 1024;
    const toRows = sorts ? unsortedRows : rows;
    const toHashes = sorts ? unsortedHashes : hashes;
    let count = 0;
    let before = 0;
    let together = 0;
    for (let row = from; row < to; row++) {
      if (skips[kinds[row]!] !== 0) continue;
      const hash = hashOfRun(idLow[row]! ^ seed, idHigh[row]!);
      if (hash === before) together++;
      before = hash;
      toRows[count] = row;
      toHashes[count++] = hash;
    }
    if (!sorts) return count;
    if (together * 2 > count) {
      // Ids in sequence are side by side as they come.
      const sorted = scratch();
      [sorted.rows, sorted.unsortedRows] = [sorted.unsortedRows, sorted.rows];
      [sorted.hashes, sorted.unsortedHashes] = [sorted.unsortedHashes, sorted.hashes];
      return count;
    }
    const pieceBits = Math.min(bits - PIECE_BITS, MOST_PIECES_BITS);
    const shift = bits - pieceBits;
    const pieces = 1 << pieceBits;
    const last = pieces - 1;
    places.fill(0, 0, pieces + 1);
    for (let at = 0; at < count; at++) places[((unsortedHashes[at]! >>> shift) & last) + 1]!++;
    for (let piece = 1; piece < pieces; piece++) places[piece]! += places[piece - 1]!;
    for (let at = 0; at < count; at++) {
      const hash = unsortedHashes[at]!;
      const place = places[(hash >>> shift) & last]!++;
      rows[place] = unsortedRows[at]!;
      hashes[place] = hash;
    }
    return count;
  }

  /**
   * Makes the index larger, for at least `more` ids: for as many as the expected rows will hold if they go on like the first `rows`
   * did, so that a long log is not taken in again and again as the index doubles.
   */
  #grow(rows: number, more: number, expectedRows: number): void {
    const factor = expectedRows / Math.max(1, rows);
    const expected = Math.max((rows < SAMPLE ? Math.min(4, factor) : factor) * this.#size, this.#size + more);
    let capacity = this.#heads.length * 2;
    while (expected * 4 > capacity * 3) capacity *= 2;
    const old = this.#heads;
    // Filled although they are zero: a fresh page that is read first and written later costs two interruptions, not one.
    const heads = new Uint32Array(capacity).fill(0);
    const tags = new Uint8Array(capacity).fill(0);
    const mask = capacity - 1;
    const { idLow, idHigh } = this.columns;
    for (const head of old) {
      if (head === NO_ROW) continue;
      const low = idLow[head - 1]!;
      const hash = this.#hash(low, idHigh[head - 1]!);
      let slot = homeOf(hash, low ^ this.#seed) & mask;
      while (tags[slot] !== 0) {
        slot += RUN;
        if (slot > mask) slot = (slot + 1) & (RUN - 1);
      }
      heads[slot] = head;
      tags[slot] = hash >>> 24 || 1;
    }
    this.#heads = heads;
    this.#tags = tags;
    this.#mask = mask;
  }
}

/** The hash that an id shares with those of its run. */
function hashOfRun(low: number, high: number): number {
  return hashU64(((low >>> RUN_BITS) | (high << (32 - RUN_BITS))) >>> 0, high >>> RUN_BITS);
}

/** Where probing for an id begins, before the mask: a run by the hash, in it a lane by the lowest bits (and the hash, for strides). */
function homeOf(hash: number, low: number): number {
  return (hash & -RUN) | ((hash ^ low) & (RUN - 1));
}

interface Scratch {
  rows: Uint32Array;
  hashes: Uint32Array;
  unsortedRows: Uint32Array;
  unsortedHashes: Uint32Array;
  places: Uint32Array;
}

let scratchOfThread: Scratch | null = null;

/** Room for one batch, 4 MiB. Nothing in it outlives a call, so one serves all tables of a thread. */
function scratch(): Scratch {
  scratchOfThread ??= {
    rows: new Uint32Array(BATCH),
    hashes: new Uint32Array(BATCH),
    unsortedRows: new Uint32Array(BATCH),
    unsortedHashes: new Uint32Array(BATCH),
    places: new Uint32Array((1 << MOST_PIECES_BITS) + 1),
  };
  return scratchOfThread;
}
