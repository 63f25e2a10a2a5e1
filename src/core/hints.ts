import type { ByteSource } from './byte-source.ts';
import { crc32 } from './crc32-algebra.ts';
import {
  CRC_DELETE_SIZE,
  CRC_SIZE,
  CRC_STORE_OVERHEAD,
  LENGTH_FIELD_OFFSET,
  Marker,
  STORE_HEADER_SIZE,
} from './record.ts';
import { type RecordTable, VerdictCode } from './record-table.ts';
import { readU32 } from './u64.ts';

/** How much of a piece of damage is looked at. Never more than the piece, so that all of a log's damage is looked at once. */
const LOOK = 1 << 18;
const SECTOR = 512;
const PAGE = 4096;
/** How far from a sector's edge a run of zeros may reach: the bytes beside it may be zeros of their own. */
const OVER_EDGE = 12;
/** A record displaced by more than this is not displaced but another. */
const MOST_DISPLACED = 8;
/** So many bytes repeated from the start of the log are no coincidence: records of different ids differ in the second. */
const REPEATED = 64;
const MOST_COMPARED = 4096;

/**
 * The likely cause of a piece of damage where the bytes give it away, else null. A cause is named only on strong evidence: the CRC
 * holds again once the cause is undone, or a pattern that chance does not make. It stays a guess, and says so.
 */
export function hintFor(source: ByteSource, table: RecordTable, row: number): string | null {
  const cause = causeOf(source, table, row);
  return cause === null ? null : `Likely cause, as a guess: ${cause}.`;
}

function causeOf(source: ByteSource, table: RecordTable, row: number): string | null {
  const offset = table.offsets[row]!;
  const length = table.length(row);
  const verdict = table.verdictCode(row);
  if (verdict === VerdictCode['zero-filled']) return zeroSector(source, table, row);
  if (verdict === VerdictCode['crc-mismatch']) return zerosInside(source, offset, length);
  const isGap = table.kind(row) === 'gap';
  if (!isGap && verdict !== VerdictCode.torn) return null;
  const bytes = source.read(offset, Math.min(LOOK, length)).slice();
  return (
    newlineAtEnd(table, row, bytes, length) ??
    rewrittenAsText(bytes, length) ??
    textConversion(bytes) ??
    secondLog(source, table, row, isGap) ??
    (isGap ? (markerChanged(source, table, row, bytes, length) ?? displaced(table, row, bytes, length)) : null)
  );
}

/** One newline behind the last record. */
function newlineAtEnd(table: RecordTable, row: number, bytes: Uint8Array, length: number): string | null {
  if (row + 1 < table.rows || row === 0) return null;
  const lineFeed = length === 1 && bytes[0] === 0x0a;
  const both = length === 2 && bytes[0] === 0x0d && bytes[1] === 0x0a;
  return lineFeed || both ? 'a text editor opened the log and ended it with a newline when it saved' : null;
}

/** EF BF BD is what a decoder puts in the place of bytes that are no UTF-8, as markers and checksums are. */
function rewrittenAsText(bytes: Uint8Array, length: number): string | null {
  let count = 0;
  for (let at = 0; at + 2 < Math.min(length, bytes.length); at++) {
    if (bytes[at] === 0xef && bytes[at + 1] === 0xbf && bytes[at + 2] === 0xbd) count++;
  }
  const first = bytes[0] === 0xef && bytes[1] === 0xbf && bytes[2] === 0xbd;
  if (count < (first ? 2 : 3)) return null;
  return `a program read the log as UTF-8 text and saved it again; EF BF BD stands ${count} times here for bytes that are gone`;
}

/** Undoes what programs do to text, and looks whether the CRC of the first record holds then. */
function textConversion(bytes: Uint8Array): string | null {
  const marker = bytes[0];
  if ((marker === Marker.crcStore || marker === Marker.crcDelete) && startsIntact(withoutReturns(bytes))) {
    return 'line ends were converted from LF to CRLF, as a transfer in text mode does; without the added 0D bytes the CRC of the record holds';
  }
  const narrowed = marker === 0xc3 && (bytes[1] === 0x83 || bytes[1] === 0x84) ? fromUtf8(bytes) : null;
  if (narrowed && startsIntact(narrowed)) {
    return 'the log was read as Latin-1 text and saved as UTF-8; turned back, the CRC of the record holds';
  }
  return null;
}

function withoutReturns(bytes: Uint8Array): Uint8Array {
  const kept = new Uint8Array(bytes.length);
  let size = 0;
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at] === 0x0d && bytes[at + 1] === 0x0a) continue;
    kept[size++] = bytes[at]!;
  }
  return kept.subarray(0, size);
}

/** The bytes as UTF-8 text of code points below 256, up to where they are none; null when nothing would change. */
function fromUtf8(bytes: Uint8Array): Uint8Array | null {
  const narrowed = new Uint8Array(bytes.length);
  let size = 0;
  let at = 0;
  while (at < bytes.length) {
    const byte = bytes[at]!;
    if (byte < 0x80) {
      narrowed[size++] = byte;
      at++;
    } else if ((byte === 0xc2 || byte === 0xc3) && (bytes[at + 1]! & 0xc0) === 0x80) {
      narrowed[size++] = ((byte & 3) << 6) | (bytes[at + 1]! & 0x3f);
      at += 2;
    } else break;
  }
  return size === at ? null : narrowed.subarray(0, size);
}

/** Whether an intact CRC record stands at the start of the bytes. */
function startsIntact(bytes: Uint8Array): boolean {
  let end = CRC_DELETE_SIZE;
  if (bytes[0] === Marker.crcStore && bytes.length >= STORE_HEADER_SIZE) {
    end = CRC_STORE_OVERHEAD + readU32(bytes, LENGTH_FIELD_OFFSET);
  } else if (bytes[0] !== Marker.crcDelete) return false;
  return end <= bytes.length && crc32(bytes, 0, end - CRC_SIZE) === readU32(bytes, end - CRC_SIZE);
}

/** Behind a record that was cut, the log begins again. */
function secondLog(source: ByteSource, table: RecordTable, row: number, isGap: boolean): string | null {
  const next = row + 1;
  if (!isGap || row === 0 || next >= table.rows || !table.foundBySearch(next)) return null;
  const start = table.offsets[next]!;
  const compared = Math.min(MOST_COMPARED, source.size - start, table.offsets[row]!);
  if (compared < REPEATED) return null;
  const here = source.read(start, compared).slice();
  const first = source.read(0, compared);
  for (let at = 0; at < compared; at++) if (here[at] !== first[at]) return null;
  return `a second log was appended to a first that ended in the middle of a record; the bytes from 0x${start.toString(16)} on repeat those at its start`;
}

/** With another first byte the CRC of the record holds. */
function markerChanged(
  source: ByteSource,
  table: RecordTable,
  row: number,
  bytes: Uint8Array,
  length: number,
): string | null {
  if (length > bytes.length) return null;
  const before = row - 1;
  if (length === CRC_SIZE && before >= 0 && table.isLegacy(before) && table.kind(before) === 'store') {
    // A store whose marker became that of a legacy one leaves its CRC behind as four unknown bytes.
    const size = table.length(before) + CRC_SIZE;
    if (size > LOOK) return null;
    const record = source.read(table.offsets[before]!, size).slice();
    record[0] = Marker.crcStore;
    return startsIntact(record)
      ? `these four bytes are the CRC of the record before, whose marker was changed from C3 to 01; with C3 it holds`
      : null;
  }
  const found = bytes[0]!;
  for (const marker of [Marker.crcStore, Marker.crcDelete]) {
    if (marker === found) continue;
    const record = bytes.slice();
    record[0] = marker;
    if (!startsIntact(record)) continue;
    const name = (byte: number) => byte.toString(16).toUpperCase().padStart(2, '0');
    return `only the marker was changed; with ${name(marker)} in place of ${name(found)} the CRC of the record holds`;
  }
  return null;
}

/** The next record stands a few bytes before or behind where the length says; or the length is what was changed. */
function displaced(table: RecordTable, row: number, bytes: Uint8Array, length: number): string | null {
  const next = row + 1;
  if (bytes[0] !== Marker.crcStore || length < CRC_STORE_OVERHEAD || length > bytes.length) return null;
  if (next >= table.rows || !table.foundBySearch(next)) return null;
  const claimed = CRC_STORE_OVERHEAD + readU32(bytes, LENGTH_FIELD_OFFSET);
  const added = length - claimed;
  if (holdsWithLength(bytes, length)) {
    return `only the length was changed; with ${length - CRC_STORE_OVERHEAD} in place of ${claimed - CRC_STORE_OVERHEAD} the CRC of the record holds`;
  }
  if (added === 0 || Math.abs(added) > MOST_DISPLACED) return null;
  const count = Math.abs(added) === 1 ? 'one byte' : `${Math.abs(added)} bytes`;
  const where = added < 0 ? 'before' : 'behind';
  const verb = Math.abs(added) === 1 ? 'was' : 'were';
  return `${count} ${verb} ${added < 0 ? 'lost from' : 'added to'} this record; the next one stands ${count} ${where} where its length leads`;
}

/** Whether the CRC holds when the length says what the place of the next record says. */
function holdsWithLength(bytes: Uint8Array, length: number): boolean {
  const header = bytes.slice(0, STORE_HEADER_SIZE);
  const payload = length - CRC_STORE_OVERHEAD;
  for (let at = 0; at < 4; at++) header[LENGTH_FIELD_OFFSET + at] = (payload >>> (8 * at)) & 0xff;
  const crc = crc32(bytes, STORE_HEADER_SIZE, length - CRC_SIZE, crc32(header));
  return crc === readU32(bytes, length - CRC_SIZE);
}

/** Zeros that begin and end with the disk's units. */
function zeroSector(source: ByteSource, table: RecordTable, row: number): string | null {
  const start = table.offsets[row]!;
  const end = start + table.length(row);
  if (end === source.size) {
    if (end % SECTOR !== 0 && (end - start) % SECTOR !== 0) return null;
    return 'the machine stopped after the file had been made longer and before its data was on the disk; the missing part reads as zeros';
  }
  return sectors(start, end);
}

function sectors(start: number, end: number): string | null {
  for (const unit of [PAGE, SECTOR]) {
    const first = Math.ceil(start / unit) * unit;
    const last = Math.floor(end / unit) * unit;
    if (last <= first || first - start > OVER_EDGE || end - last > OVER_EDGE) continue;
    const count = (last - first) / unit;
    const units = count === 1 ? `exactly one block of ${unit} bytes` : `exactly ${count} blocks of ${unit} bytes`;
    return `${units} from 0x${first.toString(16)} ${count === 1 ? 'reads' : 'read'} as zeros: a write that never reached the disk, or a sector the disk gave up`;
  }
  return null;
}

/** The longest run of zeros inside a record whose CRC failed. */
function zerosInside(source: ByteSource, offset: number, length: number): string | null {
  const bytes = source.read(offset, Math.min(length, LOOK));
  let best = 0;
  let bestStart = 0;
  let start = -1;
  for (let at = 0; at <= bytes.length; at++) {
    if (bytes[at] === 0) {
      if (start < 0) start = at;
    } else if (start >= 0) {
      if (at - start > best) {
        best = at - start;
        bestStart = start;
      }
      start = -1;
    }
  }
  return best >= SECTOR ? sectors(offset + bestStart, offset + bestStart + best) : null;
}
