import { setTimeout as pause } from 'node:timers/promises';
import type { View } from '../core/generation.ts';
import { outcomesOf, type ViewDifference, type ViewOutcome } from '../core/outcomes.ts';
import { type RecordTable, StateCode, type TableTotals } from '../core/record-table.ts';
import { checkSnapshot, type SnapshotCheck } from '../core/snapshot-check.ts';
import { runToEnd } from '../core/steps.ts';
import { crc32 } from '../main/engine/crc32.ts';
import type { Files } from '../main/engine/files.ts';
import { findHolder as findHolderOfFile, type Holder } from '../main/engine/lock-holder.ts';
import { endsTorn, holderOfCollection, MOMENT_MILLISECONDS } from '../main/services/in-flight.ts';
import { CollectionState } from '../main/session/collection.ts';
import { Exit } from './command-line.ts';
import { requireCollection, type Target } from './directories.ts';
import { SortedIds } from './sorted-ids.ts';

/** A snapshot that has nothing to do with the log disagrees in every entry; so many are listed, all are counted. */
const LISTED_DISAGREEMENTS = 100_000;

/** Everything `verify` says of one collection, before it is printed. */
export interface Verification {
  target: Target;
  /** Holds the log open until `state.close()`. */
  state: CollectionState;
  totals: TableTotals;
  /** The last row where it is a record that a running VelesDB is still writing, else -1. */
  inFlightRow: number;
  snapshotCheck: SnapshotCheck | null;
  outcomes: Record<View, ViewOutcome>;
}

export interface VerificationOptions {
  /** Leaves payloads unread: no payload verdicts, and nothing about what is unreadable. */
  framing: boolean;
  findHolder?: (path: string) => Holder | null;
}

/**
 * Looks at everything: the log's records, their payloads, the snapshot, and what each generation makes of them. Reads only. NOT_FOUND where
 * the directory is no collection; what the system says otherwise.
 */
export async function examine(files: Files, target: Target, options: VerificationOptions): Promise<Verification> {
  const { directory, entry } = target;
  requireCollection(directory, entry);
  const state = new CollectionState(files, directory);
  state.open();
  try {
    await state.scanFast();
    const inFlightRow = await settleTail(files, state, options.findHolder ?? findHolderOfFile);
    const { table } = state;
    const payloads = !options.framing;
    if (payloads) await state.checkFast();
    const snapshot = state.snapshot.state === 'read' ? state.snapshot.snapshot : null;
    const { source } = state;
    const snapshotCheck = snapshot && runToEnd(checkSnapshot({ source, table, snapshot, limit: LISTED_DISAGREEMENTS }));
    const snapshotAgrees = snapshotCheck?.state === 'valid';
    const outcomes = runToEnd(outcomesOf({ source, crc32, table, snapshot, snapshotAgrees, payloads }));
    if (!payloads) dropPayloadVerdicts(table);
    return { target, state, totals: withoutInFlight(table, inFlightRow), inFlightRow, snapshotCheck, outcomes };
  } catch (thrown) {
    state.close();
    throw thrown;
  }
}

/**
 * The scan reads the text of legacy stores, because it has no other reason to believe their length, and says so where it is no JSON.
 * What was asked for is framing alone, and there a legacy store is unprotected. Done last: `salvage` goes by what the scan found.
 */
function dropPayloadVerdicts(table: RecordTable): void {
  for (let row = 0; row < table.rows; row++) {
    if (table.verdict(row) === 'payload-not-json') table.setVerdict(row, 'unprotected');
  }
}

/**
 * Beside a running VelesDB an unfinished last record is no damage: it is read again after a moment. Returns its row where it is still
 * unfinished then, else -1.
 */
async function settleTail(
  files: Files,
  state: CollectionState,
  findHolder: (path: string) => Holder | null,
): Promise<number> {
  if (!endsTorn(state.table)) return -1;
  if (holderOfCollection(files, state.directory, state.logPath, findHolder) === null) return -1;
  await pause(MOMENT_MILLISECONDS);
  switch (state.lookAgain()) {
    case 'same':
      break;
    case 'grew':
      state.forgetTail();
      runToEnd(state.scanOn());
      break;
    default:
      state.reopen();
      await state.scanFast();
  }
  return endsTorn(state.table) ? state.table.rows - 1 : -1;
}

function withoutInFlight(table: RecordTable, row: number): TableTotals {
  const totals = table.totals();
  if (row < 0) return totals;
  return { ...totals, damaged: totals.damaged - 1, damagedBytes: totals.damagedBytes - table.length(row) };
}

/** `absent`, `valid`, `invalid` or `disagrees`. */
export function snapshotStateOf({ state, snapshotCheck }: Verification): 'absent' | 'valid' | 'invalid' | 'disagrees' {
  return snapshotCheck?.state ?? (state.snapshot.state === 'absent' ? 'absent' : 'invalid');
}

/** Exit status (docs/contract.md, "Command line"). A log that should be there and is not counts as found damage. */
export function statusOf(verification: Verification): Exit {
  const snapshot = snapshotStateOf(verification);
  const healthy =
    verification.state.exists && verification.totals.damaged === 0 && (snapshot === 'absent' || snapshot === 'valid');
  return healthy ? Exit.done : Exit.found;
}

/** Ids that a view holds, ascending: those of salvage, but for the difference. */
export function liveIds(table: RecordTable, difference: ViewDifference | null, live: number): SortedIds {
  const ids = new SortedIds(live);
  for (let row = 0; row < table.linkedRows; row++) {
    if (table.states[row] !== StateCode.live) continue;
    const low = table.idLow[row]!;
    const high = table.idHigh[row]!;
    if (difference === null || difference.absent.find(low, high) < 0) ids.add(low, high);
  }
  difference?.served.forEach((low, high) => {
    if (table.liveRow(low, high) < 0) ids.add(low, high);
  });
  return ids.sort();
}
