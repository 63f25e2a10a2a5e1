import type { ByteSource } from './byte-source.ts';
import { Probe } from './probe.ts';
import {
  CRC_SIZE,
  CRC_STORE_OVERHEAD,
  type Crc32,
  describeMarker,
  LENGTH_FIELD_OFFSET,
  type RecordFormat,
  STORE_HEADER_SIZE,
} from './record.ts';
import type { Steps } from './steps.ts';
import { readU32 } from './u64.ts';
import { WINDOW_SIZE } from './window.ts';

/** A store that stands where it was looked for. */
export interface StoreFound {
  format: RecordFormat;
  /** Bytes, from the marker to the end of the CRC (of a legacy one: of the payload). */
  length: number;
}

/** Looks at single places of a log that nothing is known of yet, as a snapshot names them. */
export class StoreReader {
  #probe: Probe | null = null;

  constructor(
    private readonly source: ByteSource,
    private readonly crc32: Crc32,
  ) {}

  /**
   * Whether an intact store of an id starts at `offset` (of the marker; any number): marker, id, a length that fits the log, and the
   * CRC; of a legacy store, which has none, that its payload is JSON text (docs/contract.md, "Legacy"). Null for anything else. Yields
   * where a CRC takes long.
   */
  *storeAt(offset: number, low: number, high: number): Steps<StoreFound | null> {
    const { source } = this;
    if (!(offset >= 0 && offset + STORE_HEADER_SIZE <= source.size)) return null;
    const header = source.read(offset, STORE_HEADER_SIZE);
    if (header.length < STORE_HEADER_SIZE) return null;
    const marker = describeMarker(header[0]!);
    if (marker?.kind !== 'store' || readU32(header, 1) !== low || readU32(header, 5) !== high) return null;
    const { format } = marker;
    const length =
      readU32(header, LENGTH_FIELD_OFFSET) + (format === 'legacy' ? STORE_HEADER_SIZE : CRC_STORE_OVERHEAD);
    const end = offset + length;
    if (end > source.size) return null;
    if (format === 'legacy') {
      this.#probe ??= new Probe(source, this.crc32);
      return this.#probe.legacyPayloadIsJson(offset, end) ? { format, length } : null;
    }
    let crc = 0;
    for (let at = offset; at < end - CRC_SIZE; ) {
      const piece = source.read(at, Math.min(WINDOW_SIZE, end - CRC_SIZE - at));
      if (piece.length === 0) return null;
      crc = this.crc32(piece, crc);
      at += piece.length;
      if (at < end - CRC_SIZE) yield { done: at - offset, total: length };
    }
    const stored = source.read(end - CRC_SIZE, CRC_SIZE);
    return stored.length === CRC_SIZE && readU32(stored, 0) === crc ? { format, length } : null;
  }
}
