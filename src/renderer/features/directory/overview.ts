import type { Collection } from '../../../shared/protocol.ts';

/** Whether somebody should look at a collection: its log or snapshot is not as it should be, or VelesDB passes it over. */
export function needsAttention({ health, hasSnapshot, problem }: Collection): boolean {
  switch (health.state) {
    case 'damaged':
    case 'torn':
    case 'snapshot':
    case 'failed':
      return true;
    case 'missing':
      // A collection that nothing was stored in has no log either; a snapshot had one.
      return hasSnapshot || problem !== null;
    default:
      return problem !== null;
  }
}

/** What is known of all collections together: how many have been looked at, and what those hold. */
export function overviewOf(collections: readonly Collection[]): { scanned: number; records: number; bytes: number } {
  let scanned = 0;
  let records = 0;
  let bytes = 0;
  for (const { health, logBytes } of collections) {
    if (health.state !== 'unknown') scanned++;
    records += health.records ?? 0;
    bytes += logBytes;
  }
  return { scanned, records, bytes };
}
