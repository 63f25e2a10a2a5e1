import type { ByteSource } from './byte-source.ts';
import type { Generation } from './generation.ts';
import type { RecordTable } from './record-table.ts';
import type { Snapshot } from './snapshot.ts';

export interface ExplainContext {
  source: ByteSource;
  table: RecordTable;
  snapshot: Snapshot | null;
}

export interface Explanation {
  title: string;
  explanation: string;
  hint: string | null;
  consequences: { generation: Generation; text: string }[];
}

/** Placeholder of the lead while the real one is being written by the owner of this file: replace me. */
export function explainDamage(context: ExplainContext, row: number): Explanation {
  const { table } = context;
  const title = `${table.verdict(row)} at 0x${table.offsets[row]!.toString(16)}`;
  return { title, explanation: title, hint: null, consequences: [] };
}
