import { type Generation, POLICIES } from '../../src/core/generation.ts';
import { isAccepted } from '../../src/core/json/check.ts';
import { packageCrc32 } from '../../src/core/log-builder.fixture.ts';
import type { RecordTable } from '../../src/core/record-table.ts';

/** A snapshot as a list, whatever it claims. */
export interface PlainSnapshot {
  position: bigint;
  entries: readonly (readonly [id: bigint, offset: bigint])[];
}

export type PlainReplay =
  | { ok: true; index: Map<bigint, bigint>; endedAt: bigint }
  | { ok: false; kind: string; message: string; endedAt: bigint };

/**
 * Replay written once more, straight from the table in docs/format.md ("Replay loop"), with bigints and a Map and no windows, to
 * hold the engine's own against. Shares nothing with it but the CRC.
 */
export function plainReplay(log: Uint8Array, generation: Generation, snapshot: PlainSnapshot | null): PlainReplay {
  const data = new DataView(log.buffer, log.byteOffset, log.byteLength);
  const first = generation === 'v1.6';
  const second = generation === 'v1.16';
  const newest = generation === 'v3.12' || generation === 'v8.0';
  const index = new Map<bigint, bigint>(snapshot?.entries ?? []);
  const start = snapshot?.position ?? 0n;
  if (start >= BigInt(log.length)) return { ok: true, index, endedAt: start };
  let at = Number(start);
  const stop = (): PlainReplay => ({ ok: true, index, endedAt: BigInt(at) });
  const refuse = (kind: string, message: string): PlainReplay => ({ ok: false, kind, message, endedAt: BigInt(at) });
  const cut = () => (first || second ? refuse('UnexpectedEof', 'failed to fill whole buffer') : stop());
  const tooLong = () => (second ? refuse('InvalidData', 'WAL payload length exceeds remaining file') : cut());
  while (at < log.length) {
    if (log.length - at < 9) return cut();
    const marker = log[at]!;
    const id = data.getBigUint64(at + 1, true);
    if (marker === 2) {
      index.delete(id);
      at += 9;
    } else if (marker === 0xc4) {
      if (log.length - at < 13) return cut();
      if (packageCrc32(log.subarray(at, at + 9)) === data.getUint32(at + 9, true)) index.delete(id);
      at += 13;
    } else if (marker === 1 || marker === 0xc3) {
      if (log.length - at < 13) return cut();
      const end = at + 13 + data.getUint32(at + 9, true) + (marker === 1 ? 0 : 4);
      if (end > log.length && !(marker === 1 && first)) return tooLong();
      if (marker === 1 || packageCrc32(log.subarray(at, end - 4)) === data.getUint32(end - 4, true)) {
        index.set(id, BigInt(at + 9));
      }
      at = end;
    } else {
      return newest ? stop() : refuse('InvalidData', 'Unknown WAL marker');
    }
  }
  return stop();
}

/** The payload an index entry leads to, or null where reading it fails: no marker, id or CRC is looked at. */
export function plainRetrieve(log: Uint8Array, offset: bigint, generation: Generation): Uint8Array | null {
  if (offset + 4n > BigInt(log.length)) return null;
  const at = Number(offset);
  const length = new DataView(log.buffer, log.byteOffset).getUint32(at, true);
  if (at + 4 + length > log.length) return null;
  const payload = log.slice(at + 4, at + 4 + length);
  return isAccepted(payload, 0, payload.length, POLICIES[generation].jsonReader) ? payload : null;
}

/** What salvage holds, worked out with a Map: id → offset of the marker. */
export function plainSalvage(table: RecordTable): Map<bigint, number> {
  const live = new Map<bigint, number>();
  for (let row = 0; row < table.rows; row++) {
    if (!table.isApplied(row)) continue;
    if (table.kind(row) === 'store') live.set(table.id(row), table.offsets[row]!);
    else live.delete(table.id(row));
  }
  return live;
}

export const OUTCOMES = ['unreadable', 'lost', 'stale', 'resurrected', 'wrong'] as const;

/** The outcomes of a generation (docs/contract.md, "Views"), one id after the other. */
export function plainOutcomes(
  log: Uint8Array,
  table: RecordTable,
  index: ReadonlyMap<bigint, bigint>,
  generation: Generation,
): Record<(typeof OUTCOMES)[number], string[]> {
  const live = plainSalvage(table);
  const found: Record<(typeof OUTCOMES)[number], bigint[]> = {
    unreadable: [],
    lost: [...live.keys()].filter((id) => !index.has(id)),
    stale: [],
    resurrected: [],
    wrong: [],
  };
  for (const [id, offset] of index) {
    const payload = plainRetrieve(log, offset, generation);
    if (payload === null) {
      found.unreadable.push(id);
      continue;
    }
    const marker = offset - 9n;
    if (live.get(id) === Number(marker)) continue;
    const row = marker < 0n ? -1 : table.rowStartingAt(Number(marker));
    const own = row >= 0 && table.kind(row) === 'store' && table.isApplied(row) && table.id(row) === id;
    if (!own) found.wrong.push(id);
    else if (live.has(id)) found.stale.push(id);
    else found.resurrected.push(id);
  }
  const ascending = (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0);
  return Object.fromEntries(
    Object.entries(found).map(([name, ids]) => [name, ids.sort(ascending).map(String)]),
  ) as Record<(typeof OUTCOMES)[number], string[]>;
}
