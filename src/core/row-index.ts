import { hashU64 } from './id-index.ts';
import type { LinkColumns } from './link-columns.ts';

/** What a slot or a chain holds where there is no row. Rows are kept as row + 1. */
export const NO_ROW = 0;
/** Ids that differ only in so many lowest bits share a run of slots. */
export const RUN_BITS = 4;
const RUN = 1 << RUN_BITS;

/**
 * id → newest row, for a table that keeps the ids in columns and so needs no key here.
 *
 * The index of a long log is far larger than the caches, so where entries lie decides how long they take. Ids below the number of
 * rows there is room for, which are all of a log whose ids count up from zero or one, are looked up directly: four bytes each, in
 * sequence as they come. All others have slots, five bytes each, by open addressing; a tag of eight bits of the hash a slot, so that a
 * probe looks at the columns only where an entry is the one sought, or one time in 255. The hash leaves RUN ids that differ only in
 * their lowest bits side by side: the lowest bits choose a lane, and probing stays in the lane, run by run, so that full runs do not
 * pile up as they would if probing went from slot to slot.
 *
 * Entries are put in by linking (link-rows.ts, fast-link.ts); here they are found, moved and taken back.
 */
export class RowIndex {
  #columns: LinkColumns;

  /** @param seed is mixed into every id, so that nobody can choose ids that all meet in one slot. */
  constructor(
    columns: LinkColumns,
    readonly seed = (Math.random() * 0x1_0000_0000) >>> 0,
  ) {
    this.#columns = columns;
  }

  /** How many ids there are. */
  get size(): number {
    return this.#columns.counts[0]!;
  }

  /** How many of them are in slots. */
  get hashed(): number {
    return this.#columns.counts[1]!;
  }

  /** Row + 1 of an id's newest record, NO_ROW where there is none. */
  find(low: number, high: number): number {
    const { direct, heads } = this.#columns;
    return this.#isDirect(low, high) ? direct[low]! : heads[this.#slotOf(low, high)]!;
  }

  /** Puts all entries into other, empty columns that hold the same ids and have slots enough for them. */
  moveTo(columns: LinkColumns): void {
    const old = this.#columns;
    const { direct, heads, tags, idLow, idHigh, counts } = columns;
    const mask = heads.length - 1;
    this.#columns = columns;
    direct.set(old.direct);
    counts[0] = old.counts[0]!;
    let left = old.counts[1]!;
    for (let at = 0; left > 0; at++) {
      const head = old.heads[at]!;
      if (head === NO_ROW) continue;
      left--;
      const row = head - 1;
      const low = idLow[row]!;
      if (this.#isDirect(low, idHigh[row]!)) {
        direct[low] = head;
        continue;
      }
      const hash = hashOfRun((low ^ this.seed) >>> 0, idHigh[row]!);
      let slot = homeOf(hash, low ^ this.seed) & mask;
      while (tags[slot] !== 0) slot = nextSlot(slot, mask);
      heads[slot] = head;
      tags[slot] = tagOf(hash);
      counts[1]!++;
    }
  }

  /** Undoes the linking of the newest row of all: its id's entry is again what it was before, NO_ROW for none. */
  takeBack(row: number, before: number): void {
    const { idLow, idHigh, direct, heads, counts } = this.#columns;
    const low = idLow[row]!;
    const isDirect = this.#isDirect(low, idHigh[row]!);
    if (before === NO_ROW) counts[0]!--;
    if (isDirect) direct[low] = before;
    else if (before !== NO_ROW) heads[this.#slotOf(low, idHigh[row]!)] = before;
    else this.#remove(this.#slotOf(low, idHigh[row]!));
  }

  #isDirect(low: number, high: number): boolean {
    return high === 0 && low < this.#columns.capacity;
  }

  /** Where an id's entry is, or where it would go. */
  #slotOf(low: number, high: number): number {
    const { heads, tags, idLow, idHigh } = this.#columns;
    const mask = heads.length - 1;
    const hash = hashOfRun((low ^ this.seed) >>> 0, high);
    const tag = tagOf(hash);
    let slot = homeOf(hash, low ^ this.seed) & mask;
    for (let found = tags[slot]!; found !== 0; found = tags[slot]!) {
      if (found === tag) {
        const row = heads[slot]! - 1;
        if (idLow[row] === low && idHigh[row] === high) return slot;
      }
      slot = nextSlot(slot, mask);
    }
    return slot;
  }

  /** A slot's place in the order in which probing passes them: lane by lane, run by run. */
  #place(slot: number): number {
    return (slot & (RUN - 1)) * (this.#columns.heads.length >>> RUN_BITS) + (slot >>> RUN_BITS);
  }

  /** Empties a slot, and shifts later entries back, so that no tombstones ever pile up. */
  #remove(emptied: number): void {
    const { heads, tags, idLow, idHigh } = this.#columns;
    const mask = heads.length - 1;
    let hole = emptied;
    let slot = emptied;
    for (;;) {
      slot = nextSlot(slot, mask);
      if (tags[slot] === 0) break;
      const row = heads[slot]! - 1;
      const low = idLow[row]! ^ this.seed;
      const home = homeOf(hashOfRun(low >>> 0, idHigh[row]!), low) & mask;
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
    this.#columns.counts[1]!--;
  }
}

/** The hash that an id, mixed with the seed, shares with those of its run. */
export function hashOfRun(low: number, high: number): number {
  return hashU64(((low >>> RUN_BITS) | (high << (32 - RUN_BITS))) >>> 0, high >>> RUN_BITS);
}

/** Where probing for an id begins, before the mask: a run by the hash, in it a lane by the lowest bits (and the hash, for strides). */
export function homeOf(hash: number, low: number): number {
  return (hash & -RUN) | ((hash ^ low) & (RUN - 1));
}

export function tagOf(hash: number): number {
  return hash >>> 24 || 1;
}

/** The slot probed after this one. */
export function nextSlot(slot: number, mask: number): number {
  const next = slot + RUN;
  return next > mask ? (next + 1) & (RUN - 1) : next;
}
