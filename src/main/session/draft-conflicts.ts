import { highU32, lowU32, parseU64 } from '../../core/u64.ts';
import { VelescopeError } from '../../shared/errors.ts';
import type { Draft, SeenRecords } from '../../shared/protocol.ts';
import type { CollectionState } from './collection.ts';
import { payloadText } from './record-detail.ts';

/** What the log holds for an id now: where, and its text; null where it holds no record. */
export function currentOf(state: CollectionState, id: string): { offset: string; text: string | null } | null {
  const row = currentRow(state, id);
  return row < 0 ? null : { offset: String(state.table.offsets[row]!), text: payloadText(state, row) };
}

/** Whether the record in the log is no longer the one a draft began from. */
export function isConflict(state: CollectionState, { id, base }: Pick<Draft, 'id' | 'base'>): boolean {
  const { table } = state;
  if (base === null) return currentRow(state, id) >= 0;
  // Not only against the live record: a restored version begins from a delete, a repaired one from the damaged record.
  const row = table.rowStartingAt(Number(base.offset));
  const value = parseU64(id)!;
  if (row < 0 || !table.hasId(row) || table.id(row) !== value) return true;
  return table.hasIntactAfter(row, lowU32(value), highU32(value));
}

/**
 * Throws DRAFT_CONFLICT, naming the ids, where drafts would be written over a record that was not looked at. A yes to "write over" is one
 * to what was on the screen: not to what another process writes between that look and the write.
 */
export function refuseUnseen(
  state: CollectionState,
  drafts: readonly Pick<Draft, 'id' | 'base'>[],
  seen: SeenRecords,
): void {
  const conflicting = drafts.filter((draft) => isConflict(state, draft));
  const unseen = conflicting.filter(({ id }) => seen[id] === undefined || seen[id] !== offsetOf(state, id));
  if (unseen.length === 0) return;
  const ids = unseen.map(({ id }) => id);
  const isAgain = ids.some((id) => seen[id] !== undefined);
  const since = isAgain ? 'since you looked at them' : 'since the draft began';
  throw new VelescopeError(
    'DRAFT_CONFLICT',
    `${unseen.length} of ${drafts.length} records changed in the log ${since}. Nothing was written.`,
    { next: 'Review them, and write again to overwrite.', data: { ids } },
  );
}

function offsetOf(state: CollectionState, id: string): string | null {
  const row = currentRow(state, id);
  return row < 0 ? null : String(state.table.offsets[row]!);
}

function currentRow(state: CollectionState, id: string): number {
  const value = parseU64(id);
  return value === null ? -1 : state.table.liveRow(lowU32(value), highU32(value));
}
