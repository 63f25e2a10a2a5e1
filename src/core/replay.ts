import type { ByteSource } from './byte-source.ts';
import {
  type Generation,
  LENGTH_PAST_END,
  POLICIES,
  SHORT_READ,
  UNKNOWN_MARKER,
  type VelesError,
  type VelesErrorKind,
} from './generation.ts';
import { IdIndex } from './id-index.ts';
import {
  CRC_DELETE_SIZE,
  CRC_STORE_OVERHEAD,
  type Crc32,
  LEGACY_DELETE_SIZE,
  LENGTH_FIELD_OFFSET,
  Marker,
  STORE_HEADER_SIZE,
} from './record.ts';
import { replayIntact } from './replay-intact.ts';
import type { Snapshot } from './snapshot.ts';
import type { Steps } from './steps.ts';
import { readU32 } from './u64.ts';
import { crcHolds, HASHED_AT_ONCE, longCrcHolds, WINDOW_SIZE, Window } from './window.ts';

/** What a finished scan already knows, so that a replay need not hash every record again. */
export interface KnownRecords {
  /** For a record that starts at `offset` and whose CRC was computed over exactly its claimed extent: whether it held. */
  crcHoldsAt(offset: number): boolean | null;
}

export interface ReplayOptions {
  source: ByteSource;
  crc32: Crc32;
  generation: Generation;
  /** A snapshot that passed every check; null replays from byte 0. */
  snapshot: Snapshot | null;
  known?: KnownRecords;
  /** What was replayed of the log already: goes on from `position`, on `index`, which it changes. `snapshot` is null then. */
  from?: { readonly index: IdIndex; readonly position: number };
}

/** So many stores fit between two reports. */
const MOST_STORES = Math.ceil(WINDOW_SIZE / STORE_HEADER_SIZE);

export type ReplayResult =
  | {
      ok: true;
      usedSnapshot: boolean;
      /** 0 without a snapshot. Any u64 with one. */
      lastSnapshotWalPosition: bigint;
      /** id → offset of the length field. */
      index: IdIndex;
      /** Where replay ended: the log's end when nothing stopped it; beyond it after a record that runs past the end. */
      endedAt: number;
    }
  | { ok: false; usedSnapshot: boolean; kind: VelesErrorKind; message: string; endedAt: number };

/**
 * Opens a log as one generation of VelesDB would: snapshot, then replay (docs/format.md, "Replay loop"). A refusal is a value.
 * The eight id bytes are read before the marker is judged; a CRC mismatch skips the record; legacy records are applied as they
 * are; the payload is never looked at.
 */
export function* replay(options: ReplayOptions): Steps<ReplayResult> {
  const { source, crc32, snapshot, known } = options;
  const policy = POLICIES[options.generation];
  const size = source.size;
  const usedSnapshot = snapshot !== null;
  const index = options.from?.index ?? (snapshot ? yield* snapshot.indexing() : new IdIndex());
  const lastSnapshotWalPosition = snapshot ? snapshot.walPosition : 0n;
  let position = lastSnapshotWalPosition >= BigInt(size) ? size : Number(lastSnapshotWalPosition);
  if (options.from) position = options.from.position;

  const opened = (endedAt: number): ReplayResult => ({
    ok: true,
    usedSnapshot,
    lastSnapshotWalPosition,
    index,
    endedAt,
  });
  const refused = ({ kind, message }: VelesError): ReplayResult => ({
    ok: false,
    usedSnapshot,
    kind,
    message,
    endedAt: position,
  });
  const shortRead = (): ReplayResult => (policy.shortRead === 'refuse' ? refused(SHORT_READ) : opened(position));
  const pastEnd = (): ReplayResult => (policy.pastEnd === 'refuse-length' ? refused(LENGTH_PAST_END) : shortRead());

  if (snapshot && snapshot.walPosition > BigInt(size)) return opened(Number(snapshot.walPosition));

  if (!known) position = yield* replayIntact(source, crc32, index, position);
  const window = new Window(source);
  let nextReport = position + WINDOW_SIZE;
  while (position < size) {
    if (position >= nextReport) {
      yield { done: position, total: size };
      yield* index.makeRoom(index.size + MOST_STORES);
      nextReport = position + WINDOW_SIZE;
    }
    if (!window.load(position, LENGTH_FIELD_OFFSET)) return shortRead();
    let at = position - window.base;
    const marker = window.bytes[at]!;
    const low = readU32(window.bytes, at + 1);
    const high = readU32(window.bytes, at + 5);

    if (marker === Marker.crcStore || marker === Marker.legacyStore) {
      if (!window.load(position, STORE_HEADER_SIZE)) return shortRead();
      at = position - window.base;
      const payload = readU32(window.bytes, at + LENGTH_FIELD_OFFSET);
      if (marker === Marker.legacyStore) {
        const end = position + STORE_HEADER_SIZE + payload;
        if (end > size && !policy.indexesLegacyPastEnd) return pastEnd();
        index.set(low, high, position + LENGTH_FIELD_OFFSET);
        position = end;
        continue;
      }
      const end = position + CRC_STORE_OVERHEAD + payload;
      if (end > size) return pastEnd();
      let holds = known?.crcHoldsAt(position) ?? null;
      if (holds === null && end - position > HASHED_AT_ONCE) holds = yield* longCrcHolds(window, position, end, crc32);
      if (holds ?? crcHolds(window, position, end, crc32)) {
        index.set(low, high, position + LENGTH_FIELD_OFFSET);
      }
      position = end;
    } else if (marker === Marker.crcDelete) {
      const end = position + CRC_DELETE_SIZE;
      if (end > size) return shortRead();
      if (known?.crcHoldsAt(position) ?? crcHolds(window, position, end, crc32)) index.delete(low, high);
      position = end;
    } else if (marker === Marker.legacyDelete) {
      index.delete(low, high);
      position += LEGACY_DELETE_SIZE;
    } else {
      return policy.unknownMarker === 'refuse' ? refused(UNKNOWN_MARKER) : opened(position);
    }
  }
  return opened(position);
}
