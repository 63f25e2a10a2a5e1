import { runToEnd, type Steps } from './steps.ts';
import { joinU64 } from './u64.ts';

/** Slots moved between two steps: each waits for memory. */
const MOVED = 1 << 15;

/**
 * u64 id → u64 offset, open addressing with linear probing on typed arrays. A `Map<bigint, …>` costs an allocation and
 * about ten times the memory per entry. Offsets are u64 because a snapshot may claim any (docs/format.md, "Snapshot").
 */
export class IdIndex {
  #capacity: number;
  #mask: number;
  #size = 0;
  /** Four u32 a slot: id low, id high, offset low, offset high: one cache line serves a probe. */
  #slots: Uint32Array;
  #used: Uint8Array;

  /** `expected` is how many ids will come; only a hint. */
  constructor(expected = 16) {
    this.#capacity = 16;
    while (this.#capacity * 0.7 < expected) this.#capacity *= 2;
    this.#mask = this.#capacity - 1;
    this.#slots = new Uint32Array(this.#capacity * 4);
    this.#used = new Uint8Array(this.#capacity);
  }

  get size(): number {
    return this.#size;
  }

  /** How many slots there are: every slot's number is below. */
  get slots(): number {
    return this.#capacity;
  }

  /** The slot holding the id, or -1. A slot is good until the next `set` or `delete`. */
  find(low: number, high: number): number {
    let slot = hashU64(low, high) & this.#mask;
    while (this.#used[slot] === 1) {
      const at = slot * 4;
      if (this.#slots[at] === low && this.#slots[at + 1] === high) return slot;
      slot = (slot + 1) & this.#mask;
    }
    return -1;
  }

  /** The offset in a slot as a number: exact below 2^53, which every offset but one claimed by a snapshot is. */
  offsetAt(slot: number): number {
    return this.#slots[slot * 4 + 3]! * 0x1_0000_0000 + this.#slots[slot * 4 + 2]!;
  }

  offset64At(slot: number): bigint {
    return joinU64(this.#slots[slot * 4 + 2]!, this.#slots[slot * 4 + 3]!);
  }

  set(low: number, high: number, offset: number): void {
    this.#put(low, high, offset >>> 0, (offset / 0x1_0000_0000) >>> 0);
  }

  set64(low: number, high: number, offset: bigint): void {
    this.#put(low, high, Number(offset & 0xffff_ffffn), Number(offset >> 32n));
  }

  #put(low: number, high: number, offsetLow: number, offsetHigh: number): void {
    if ((this.#size + 1) * 10 > this.#capacity * 7) this.#grow();
    let slot = hashU64(low, high) & this.#mask;
    const slots = this.#slots;
    while (this.#used[slot] === 1) {
      const at = slot * 4;
      if (slots[at] === low && slots[at + 1] === high) {
        slots[at + 2] = offsetLow;
        slots[at + 3] = offsetHigh;
        return;
      }
      slot = (slot + 1) & this.#mask;
    }
    const at = slot * 4;
    this.#used[slot] = 1;
    slots[at] = low;
    slots[at + 1] = high;
    slots[at + 2] = offsetLow;
    slots[at + 3] = offsetHigh;
    this.#size++;
  }

  /** Removes the id; false when it was not there. Shifts later entries back, so no tombstones ever pile up. */
  delete(low: number, high: number): boolean {
    let hole = this.find(low, high);
    if (hole < 0) return false;
    const slots = this.#slots;
    let slot = hole;
    for (;;) {
      slot = (slot + 1) & this.#mask;
      if (this.#used[slot] !== 1) break;
      const at = slot * 4;
      const home = hashU64(slots[at]!, slots[at + 1]!) & this.#mask;
      // An entry may move into the hole only if its home is not between the hole and itself.
      if (((slot - home) & this.#mask) >= ((slot - hole) & this.#mask)) {
        slots.copyWithin(hole * 4, at, at + 4);
        hole = slot;
      }
    }
    this.#used[hole] = 0;
    this.#size--;
    return true;
  }

  /** Calls `visit` for every id, in no particular order; for a walk in pieces, for those in the slots [from, to). */
  forEach(
    visit: (low: number, high: number, offset: number, slot: number) => void,
    from = 0,
    to = this.#capacity,
  ): void {
    for (let slot = from; slot < Math.min(to, this.#capacity); slot++) {
      if (this.#used[slot] === 1) {
        visit(this.#slots[slot * 4]!, this.#slots[slot * 4 + 1]!, this.offsetAt(slot), slot);
      }
    }
  }

  /**
   * Makes room for so many ids in all, in steps: to move millions of entries takes as long as a page may wait many times over. Nothing may
   * be done with the index until it is through. `set` finds room by itself, in one go.
   */
  *makeRoom(ids: number): Steps<void> {
    if (ids * 10 <= this.#capacity * 7) return;
    yield* this.#moveTo(ids);
  }

  #grow(): void {
    runToEnd(this.#moveTo(this.#capacity));
  }

  *#moveTo(ids: number): Steps<void> {
    const slots = this.#slots;
    const used = this.#used;
    while (ids * 10 > this.#capacity * 7) this.#capacity *= 2;
    this.#mask = this.#capacity - 1;
    this.#slots = new Uint32Array(this.#capacity * 4);
    this.#used = new Uint8Array(this.#capacity);
    this.#size = 0;
    for (let slot = 0; slot < used.length; slot++) {
      if (slot % MOVED === 0) yield { done: slot, total: used.length };
      if (used[slot] === 1) {
        const at = slot * 4;
        this.#put(slots[at]!, slots[at + 1]!, slots[at + 2]!, slots[at + 3]!);
      }
    }
  }
}

/** Mixes a u64 given as halves into 32 well-spread bits (the finaliser of MurmurHash3 over both halves). */
export function hashU64(low: number, high: number): number {
  let hash = Math.imul(low, 0x9e37_79b1) ^ Math.imul(high ^ 0x85eb_ca6b, 0xc2b2_ae35);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
