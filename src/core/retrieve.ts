import type { ByteSource } from './byte-source.ts';
import {
  type Generation,
  OFFSET_NOT_SEEKABLE,
  POLICIES,
  READ_LENGTH_PAST_END,
  SHORT_READ,
  type VelesError,
} from './generation.ts';
import { checkPayload, isAccepted, type JsonReader, OUT_OF_RANGE } from './json/check.ts';
import type { Steps } from './steps.ts';
import { readU32 } from './u64.ts';
import { WINDOW_SIZE } from './window.ts';

const FIRST_READ = 512;
/** A longer payload is not taken into memory before it is known to hold no byte that JSON forbids. */
const LONG_PAYLOAD = 1 << 29;
/** From here on a length is doubted before what it claims is read. */
const LONG_CLAIM = 1 << 16;
/** What may look wrong only because it is cut, an escape, a character, a word, is shorter; a number out of range is not. */
const LONGEST_TOKEN_CUT = 16;
const I64_MAX = 0x7fff_ffff_ffff_ffffn;

export type Retrieved =
  | { ok: true; payload: Uint8Array }
  /**
   * `bytes` are what is present of the payload; null when there are none. Of one beyond 512 MiB, which no line of output could
   * hold, only the beginning, up to the byte that is refused.
   */
  | { ok: false; error: VelesError; bytes: Uint8Array | null };

/**
 * What reading an index entry gives under a generation (docs/format.md, "Error kinds"). VelesDB seeks to the offset of the
 * length field, reads the length, reads the payload, parses it; it checks neither CRC nor marker nor id.
 * The payload is a view into the source's buffer: copy what must outlive the next read.
 */
export function retrieve(source: ByteSource, offset: number | bigint, generation: Generation): Retrieved {
  if (typeof offset === 'bigint') {
    if (offset > I64_MAX) return { ok: false, error: OFFSET_NOT_SEEKABLE, bytes: null };
    offset = Number(offset);
  }
  if (offset + 4 > source.size) return { ok: false, error: SHORT_READ, bytes: null };
  // Most payloads are small: one read that takes the length and, with luck, all of the payload. Reading more than this for it
  // costs more than a second read for the larger ones.
  let bytes = source.read(offset, FIRST_READ);
  if (bytes.length < 4) return { ok: false, error: SHORT_READ, bytes: null };
  const length = readU32(bytes, 0);
  if (offset + 4 + length > source.size) {
    const present = source.size - offset - 4;
    const error = POLICIES[generation].boundsLengthOnRead ? READ_LENGTH_PAST_END : SHORT_READ;
    return { ok: false, error, bytes: present === 0 ? null : source.read(offset + 4, Math.min(present, LONG_PAYLOAD)) };
  }
  if (length > LONG_PAYLOAD) {
    // A length that damage made up soon runs over a control byte, where every reader stops: what follows cannot change the answer.
    const forbidden = firstForbiddenByte(source, offset + 4, offset + 4 + length);
    if (forbidden >= 0 && forbidden - offset < LONG_PAYLOAD) {
      const beginning = source.read(offset + 4, forbidden + 1 - (offset + 4));
      const check = checkPayload(beginning, 0, beginning.length, POLICIES[generation].jsonReader);
      if (check.state !== 'ok') {
        return { ok: false, error: { kind: 'InvalidData', message: check.message }, bytes: beginning };
      }
    }
  }
  bytes = 4 + length <= bytes.length ? bytes.subarray(4, 4 + length) : source.read(offset + 4, length);
  if (bytes.length < length) {
    // The file has become shorter than the source takes it for. What is left may look like a whole payload, and is none.
    const error = POLICIES[generation].boundsLengthOnRead ? READ_LENGTH_PAST_END : SHORT_READ;
    return { ok: false, error, bytes: bytes.length === 0 ? null : bytes };
  }
  const reader = POLICIES[generation].jsonReader;
  if (isAccepted(bytes, 0, bytes.length, reader)) return { ok: true, payload: bytes };
  const check = checkPayload(bytes, 0, bytes.length, reader);
  if (check.state === 'ok') return { ok: true, payload: bytes };
  return { ok: false, error: { kind: 'InvalidData', message: check.message }, bytes: length === 0 ? null : bytes };
}

/**
 * Whether `retrieve` gives a payload, in steps, and without taking into memory what a false length claims: damage and snapshots make up
 * thousands of them, of hundreds of megabytes each.
 */
export function* isReadable(
  source: ByteSource,
  offset: number | bigint,
  generation: Generation,
  longFrom = LONG_CLAIM,
): Steps<boolean> {
  if (offset > I64_MAX) return false;
  const at = Number(offset);
  if (at + 4 > source.size) return false;
  const field = source.read(at, 4);
  if (field.length < 4) return false;
  const length = readU32(field, 0);
  if (at + 4 + length > source.size) return false;
  if (length >= longFrom) {
    const reader = POLICIES[generation].jsonReader;
    if (beginsWrong(source.read(at + 4, Math.min(length, longFrom)), reader)) return false;
    for (let from = at + 4; from < at + 4 + length; from += WINDOW_SIZE) {
      const to = Math.min(from + WINDOW_SIZE, at + 4 + length);
      // No reader takes one, wherever it stands.
      if (firstForbiddenByte(source, from, to) >= 0) return false;
      yield { done: to - at - 4, total: length };
    }
  }
  return retrieve(source, at, generation).ok;
}

/** Whether the beginning of a payload is wrong whatever follows. False where it may be for the cut that it seems so. */
function beginsWrong(beginning: Uint8Array, reader: JsonReader): boolean {
  const check = checkPayload(beginning, 0, beginning.length, reader);
  if (check.state === 'ok' || check.message.startsWith(OUT_OF_RANGE)) return false;
  return check.offset < beginning.length - LONGEST_TOKEN_CUT;
}

/** First offset in [from, to) of a byte below 0x20 that is no white space of JSON's; -1 when there is none. */
function firstForbiddenByte(source: ByteSource, from: number, to: number): number {
  for (let at = from; at < to; at += WINDOW_SIZE) {
    const bytes = source.read(at, Math.min(WINDOW_SIZE, to - at));
    for (let index = 0; index < bytes.length; index++) {
      const byte = bytes[index]!;
      if (byte < 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return at + index;
    }
  }
  return -1;
}
