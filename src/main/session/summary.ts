import type { View } from '../../core/generation.ts';
import { VIEWS } from '../../core/generation.ts';
import type { ViewOutcome } from '../../core/outcomes.ts';
import { findTail } from '../../core/recovery/tail.ts';
import type { Steps } from '../../core/steps.ts';
import type { OutcomeCounts, SnapshotState, Summary } from '../../shared/protocol.ts';
import type { CollectionState } from './collection.ts';

/** Counts of an outcome as they travel; null where the generation does not open. */
export function describeOutcome(outcome: ViewOutcome): OutcomeCounts {
  if (!outcome.opens) {
    return {
      opens: false,
      error: outcome.error,
      live: null,
      unreadable: null,
      lost: null,
      stale: null,
      resurrected: null,
      wrong: null,
    };
  }
  const { lists } = outcome;
  return {
    opens: true,
    error: null,
    live: outcome.live,
    unreadable: lists.unreadable?.length ?? null,
    lost: lists.lost.length,
    stale: lists.stale.length,
    resurrected: lists.resurrected.length,
    wrong: lists.wrong.length,
  };
}

export function describeOutcomes(state: CollectionState): Partial<Record<View, OutcomeCounts>> {
  const described: Partial<Record<View, OutcomeCounts>> = {};
  for (const view of VIEWS) {
    const outcome = state.outcomes[view];
    if (outcome) described[view] = describeOutcome(outcome);
  }
  return described;
}

export function describeSnapshot(state: CollectionState): SnapshotState {
  const { snapshot, size } = state;
  const base = { reason: null, walPosition: null, entries: null, disagreements: 0, bytesSince: size };
  if (state.snapshotUnread) return { ...base, state: 'unknown' };
  if (snapshot.state === 'absent') return { ...base, state: 'absent' };
  if (snapshot.state === 'invalid') return { ...base, state: 'invalid', reason: snapshot.reason };
  const position = snapshot.walPosition;
  return {
    state: snapshot.check === null ? 'unknown' : snapshot.check.state,
    reason: null,
    walPosition: String(position),
    entries: snapshot.count,
    disagreements: snapshot.check?.total ?? 0,
    bytesSince: position >= BigInt(size) ? 0 : size - Number(position),
  };
}

/** The end of the log that a crash of its writer explains, if there is one: what "trim the tail" would cut. */
export function describeTail(state: CollectionState): Summary['damage']['tail'] {
  const tail = findTail(state.source, state.table);
  return tail && { offset: String(tail.offset), length: tail.length, verdict: tail.verdict };
}

/** Rows between two steps. */
const MAP_STRIDE = 1 << 16;

/** The strip: how many bytes of each of `buckets` equal ranges are live, superseded, dead, damaged. In steps. */
export function* describeMap(state: CollectionState, buckets: number): Steps<number[]> {
  const { table, size } = state;
  const values = new Array<number>(buckets * 4).fill(0);
  if (size === 0) return values;
  const width = size / buckets;
  for (let row = 0; row < table.linkedRows; row++) {
    if (row % MAP_STRIDE === 0) yield { done: row, total: table.linkedRows };
    const offset = table.offsets[row]!;
    const end = offset + table.length(row);
    const kind = table.isDamaged(row) ? 3 : [2, 0, 1, 2, 3][table.states[row]!]!;
    let bucket = Math.min(buckets - 1, Math.floor(offset / width));
    for (let at = offset; at < end; bucket++) {
      const bucketEnd = bucket >= buckets - 1 ? size : (bucket + 1) * width;
      const part = Math.min(end, bucketEnd) - at;
      values[bucket * 4 + kind]! += part;
      at += part;
      if (part <= 0) break;
    }
  }
  return values.map((value) => Math.round(value));
}
