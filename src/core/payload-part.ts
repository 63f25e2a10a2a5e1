import { PAYLOAD_BLOCK, payloadWalker } from './fast-payloads.ts';
import type { ReadInto } from './fast-scan-part.ts';
import { acceptedBy, checkPayload } from './json/check.ts';
import {
  CRC_DELETE_SIZE,
  CRC_SIZE,
  CRC_STORE_OVERHEAD,
  LEGACY_DELETE_SIZE,
  LENGTH_FIELD_OFFSET,
  Marker,
  STORE_HEADER_SIZE,
} from './record.ts';
import type { Steps } from './steps.ts';
import { readU32 } from './u64.ts';

/**
 * Bytes of the log in which record follows record, each of them intact or believed: [from, to) and again, ascending. Where a record
 * starts and ends is read from its own length, so nobody has to be told the rows.
 */
export type PayloadRanges = Float64Array;

/** What may be said of a payload; more than one can be true. */
export const PayloadFault = { notJson: 1, unreadable: 2, readersDisagree: 4 } as const;

/** Payloads of which something has to be said: where their records start, and the sum of their faults. */
export interface PayloadFindings {
  offsets: number[];
  faults: number[];
}

/**
 * Looks at every payload in some ranges of a log, with the eyes of `checkPayloads`. System errors of `read` pass through; a
 * RangeError when the records are no longer there as the ranges say. Yields the offset it has come to, a few hundred kilobytes
 * further each time.
 */
export function* checkPart(ranges: PayloadRanges, read: ReadInto): Steps<PayloadFindings, number> {
  const findings: PayloadFindings = { offsets: [], faults: [] };
  const end = ranges.at(-1) ?? 0;
  // Shared by all checks of this thread: it is read anew after every yield.
  const walker = payloadWalker();
  const block = walker.input;
  // Where the block lies in the log, and how much of it is there.
  let base = 0;
  let length = 0;
  for (let range = 0; range < ranges.length; range += 2) {
    const to = ranges[range + 1]!;
    for (let position = ranges[range]!; position < to; ) {
      if (position < base || position >= base + length) {
        yield position;
        base = position;
        length = read(block, 0, Math.min(PAYLOAD_BLOCK, end - position), position);
        if (length === 0) throw changed(position);
      }
      const stop = Math.min(length, to - base);
      const at = walker.walk(position - base, stop);
      position = base + at;
      if (position >= to || at === stop) continue;
      const size = recordSize(block, at, stop);
      if (size > 0 && at + size <= stop) {
        judge(block, at, size, position, findings);
        position += size;
      } else if (at > 0) {
        // It goes beyond the block: with one of its own it may be whole.
        length = 0;
      } else {
        if (size === 0 || position + size > to) throw changed(position);
        const whole = new Uint8Array(size);
        if (read(whole, 0, size, position) < size) throw changed(position);
        judge(whole, 0, size, position, findings);
        position += size;
      }
    }
  }
  return findings;
}

/** Size of the record at `at`; 0 when its header does not end before `stop`, or is none. */
function recordSize(bytes: Uint8Array, at: number, stop: number): number {
  const marker = bytes[at];
  if (marker === Marker.crcDelete) return CRC_DELETE_SIZE;
  if (marker === Marker.legacyDelete) return LEGACY_DELETE_SIZE;
  if (at + STORE_HEADER_SIZE > stop) return 0;
  if (marker === Marker.crcStore) return CRC_STORE_OVERHEAD + readU32(bytes, at + LENGTH_FIELD_OFFSET);
  return marker === Marker.legacyStore ? STORE_HEADER_SIZE + readU32(bytes, at + LENGTH_FIELD_OFFSET) : 0;
}

function judge(bytes: Uint8Array, at: number, size: number, offset: number, findings: PayloadFindings): void {
  const marker = bytes[at];
  if (marker !== Marker.crcStore && marker !== Marker.legacyStore) return;
  const legacy = marker === Marker.legacyStore;
  const start = at + STORE_HEADER_SIZE;
  const end = at + size - (legacy ? 0 : CRC_SIZE);
  const accepted = acceptedBy(bytes, start, end);
  let faults: number = accepted.approximate === accepted.exact ? 0 : PayloadFault.readersDisagree;
  if (!accepted.approximate) {
    // That a legacy payload is JSON text is what its length was believed for, and what the id chains were built on; only an
    // enormous one was believed unparsed, and it must not turn into an unapplied record under a table that is linked.
    const { state } = checkPayload(bytes, start, end);
    faults |= legacy || state === 'unreadable' ? PayloadFault.unreadable : PayloadFault.notJson;
  }
  if (faults === 0) return;
  findings.offsets.push(offset);
  findings.faults.push(faults);
}

function changed(offset: number): RangeError {
  return new RangeError(`The log was cut or changed: the record at ${offset} is not there any more`);
}
