import type { LinkColumns } from './link-columns.ts';
import { hashOfRun, homeOf, NO_ROW, nextSlot, tagOf } from './row-index.ts';
import { APPLIED, CHAINED, LINKING, STATE_MASK, StateCode } from './row-info.ts';

/**
 * Makes the rows [from, to), which follow all that are linked, the newest of their ids, in order: chains, ordinals, states and the
 * index. fast-link.ts does the same in WebAssembly; this is for tables too small or too large for it.
 * There must be slots for the ids that are new.
 * @param seed of the index.
 */
export function linkRows(columns: LinkColumns, from: number, to: number, seed: number): void {
  const { idLow, idHigh, previous, ordinals, info, states } = columns;
  for (let row = from; row < to; row++) {
    const linking = LINKING[info[row]!]!;
    states[row] = linking & STATE_MASK;
    if ((linking & CHAINED) === 0) {
      // The row may have been another's before a `truncate`.
      previous[row] = NO_ROW;
      ordinals[row] = 0;
      continue;
    }
    const low = idLow[row]!;
    const high = idHigh[row]!;
    const before =
      high === 0 && low < columns.capacity ? putDirect(columns, low, row) : putHashed(columns, low, high, row, seed);
    previous[row] = before;
    ordinals[row] = before === NO_ROW ? 1 : ordinals[before - 1]! + 1;
    if ((linking & APPLIED) === 0) continue;
    for (let older = before; older !== NO_ROW; older = previous[older - 1]!) {
      const state = states[older - 1]!;
      if (state === StateCode.damaged) continue;
      if (state === StateCode.live) states[older - 1] = StateCode.superseded;
      break;
    }
  }
}

/** Makes a row the newest of an id; returns row + 1 of the one before, NO_ROW for none. */
function putDirect({ direct, counts }: LinkColumns, id: number, row: number): number {
  const before = direct[id]!;
  if (before === NO_ROW) counts[0]!++;
  direct[id] = row + 1;
  return before;
}

/** The same for an id that is kept in slots. */
function putHashed(columns: LinkColumns, low: number, high: number, row: number, seed: number): number {
  const { idLow, idHigh, heads, tags, counts } = columns;
  const mask = heads.length - 1;
  const hash = hashOfRun((low ^ seed) >>> 0, high);
  const tag = tagOf(hash);
  let slot = homeOf(hash, low ^ seed) & mask;
  for (let found = tags[slot]!; found !== 0; found = tags[slot]!) {
    const head = heads[slot]!;
    if (found === tag && idLow[head - 1] === low && idHigh[head - 1] === high) {
      heads[slot] = row + 1;
      return head;
    }
    slot = nextSlot(slot, mask);
  }
  heads[slot] = row + 1;
  tags[slot] = tag;
  counts[0]!++;
  counts[1]!++;
  return NO_ROW;
}
