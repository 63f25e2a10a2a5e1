import type { RecordTable } from '../../core/record-table.ts';
import type { Files } from '../engine/files.ts';
import { databaseLockPaths } from '../engine/lock.ts';
import type { Holder } from '../engine/lock-holder.ts';

/** How long an unfinished record of a running VelesDB is given to be finished. */
export const MOMENT_MILLISECONDS = 250;

/** Whether the log ends in a torn record: beside a running VelesDB that may be one being written (docs/contract.md). */
export function endsTorn(table: RecordTable): boolean {
  return table.rows > 0 && table.verdict(table.rows - 1) === 'torn';
}

/** Who holds the lock of the collection's database, or of its log, as `findHolder` tells of a path; null where nobody is known. */
export function holderOfCollection(
  files: Files,
  directory: string,
  logPath: string,
  findHolder: (path: string) => Holder | null,
): Holder | null {
  for (const path of [...databaseLockPaths(files, directory), logPath]) {
    const holder = findHolder(path);
    if (holder !== null) return holder;
  }
  return null;
}

/** "velesdb-server (process 4711)". */
export function holderWords({ name, pid }: Holder): string {
  return `${name ?? 'a process'} (process ${pid})`;
}

/** What to say of the unfinished last record, for whom a torn record would be alarming and untrue. */
export function inFlightWords(table: RecordTable, holder: string): string {
  const offset = table.offsets[table.rows - 1]!;
  return `The record at offset ${offset} is incomplete because a running VelesDB is writing it: ${holder} holds the lock`;
}

/**
 * Why a policy writes nothing, where the log ends in a record that is being written. With other damage both are said; without, the
 * record in flight is all that stands in the way, and is no damage.
 */
export function inFlightRefusal(table: RecordTable, refusal: string, holder: string): string {
  const words = inFlightWords(table, holder);
  return table.totals().damaged > 1 ? `${refusal} ${words}.` : `${words}.`;
}
