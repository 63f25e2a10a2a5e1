import { LogBuilder } from './log-builder.fixture.ts';
import { Marker } from './record.ts';
import { writeU32 } from './u64.ts';

/** A small generator with a seed of its own, so that hostile logs are the same every time. */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return (value ^ (value >>> 14)) >>> 0;
  };
}

function filled(size: number, byte: number): Uint8Array {
  return new Uint8Array(size).fill(byte);
}

/** The pattern over and over. */
function repeated(size: number, pattern: Uint8Array): Uint8Array {
  const log = new Uint8Array(size);
  for (let at = 0; at < size; at += pattern.length) log.set(pattern.subarray(0, size - at), at);
  return log;
}

/** Headers every `spacing` bytes whose lengths lead to `target(position)`, over a body of one byte. */
function headers(
  size: number,
  spacing: number,
  marker: number,
  body: number,
  target: (at: number) => number,
): Uint8Array {
  const log = filled(size, body);
  const overhead = marker === Marker.crcStore ? 17 : 13;
  for (let at = 0; at + spacing <= size; at += spacing) {
    log[at] = marker;
    writeU32(log, at + 9, Math.max(0, Math.min(target(at), size) - at - overhead));
  }
  return log;
}

const small = new LogBuilder().store(1, '{}').bytes();

/** Puts an intact small record (19 bytes) behind every header of `log`. */
function withGoodRecords(log: Uint8Array, spacing: number): Uint8Array {
  for (let at = 0; at + 13 + small.length <= log.length; at += spacing) log.set(small, at + 13);
  return log;
}

/** Logs made to waste the time of a scan that is not careful: name → the log of about `size` bytes. */
export const hostileLogs: Readonly<Record<string, (size: number) => Uint8Array>> = {
  zeros: (size) => filled(size, 0),
  'zeros but for the last byte': (size) => {
    const log = filled(size, 0);
    log[size - 1] = 1;
    return log;
  },
  'all C3': (size) => filled(size, 0xc3),
  'all C4': (size) => filled(size, 0xc4),
  'all 01': (size) => filled(size, 1),
  'all 02': (size) => filled(size, 2),
  'all 02, then an unknown byte': (size) => {
    const log = filled(size, 2);
    log[size - 1] = 0x55;
    return log;
  },
  'all 02, and a length past the end': (size) => {
    const log = filled(size, 2);
    log[size - 64] = 0xc3;
    log.fill(0xff, size - 63);
    return log;
  },
  random: (size) => {
    const next = randomNumbers(7);
    return Uint8Array.from({ length: size }, () => next());
  },
  'random markers and zeros': (size) => {
    const next = randomNumbers(11);
    const bytes = [0xc3, 0xc4, 1, 2, 0, 0, 0, 0];
    return Uint8Array.from({ length: size }, () => bytes[next() & 7]!);
  },
  'C3 with lengths to the end': (size) => headers(size, 13, Marker.crcStore, 0x20, () => size),
  'C3 with lengths to a place in the middle': (size) => headers(size, 13, Marker.crcStore, 0x20, () => size >> 1),
  'C3 with lengths of half a megabyte': (size) => headers(size, 13, Marker.crcStore, 0x20, (at) => at + (1 << 19)),
  'C3 ten times, then a length that fits': (size) => {
    const pattern = new Uint8Array(16).fill(0xc3, 0, 10);
    pattern[12] = 0;
    return repeated(size, pattern);
  },
  'good record, bad record to the end': (size) =>
    withGoodRecords(
      headers(size, 32, Marker.crcStore, 0x20, () => size),
      32,
    ),
  'good record, bad record to the middle': (size) =>
    withGoodRecords(
      headers(size, 32, Marker.crcStore, 0x20, () => size >> 1),
      32,
    ),
  'good record, bad record of 900 kB': (size) =>
    withGoodRecords(
      headers(size, 32, Marker.crcStore, 0x20, (at) => at + 900_000),
      32,
    ),
  'good record, bad record of 4 kB': (size) =>
    withGoodRecords(
      headers(size, 32, Marker.crcStore, 0x20, (at) => at + 4_000),
      32,
    ),
  'good record, bad record on to a boundary': (size) =>
    withGoodRecords(
      headers(size, 32, Marker.crcStore, 0x20, (at) => at + 32 * 1000 + 13),
      32,
    ),
  'nested bad records': (size) => headers(size, 32, Marker.crcStore, 0x20, (at) => size - at),
  'good record, legacy record with a length to the end': (size) =>
    withGoodRecords(
      headers(size, 32, Marker.legacyStore, 0x20, () => size),
      32,
    ),
  'legacy headers over text': (size) => headers(size, 512, Marker.legacyStore, 0x31, (at) => at + 512),
  'legacy headers, every byte, over text that is no JSON': (size) => {
    const log = filled(size, 0x61);
    for (let block = 0; block + 65536 <= size; block += 65536) {
      for (let at = 0; at < 9; at++) log[block + at] = 1;
      log.set([0x00, 0xf0, 0, 0], block + 9);
    }
    return log;
  },
  'legacy store of JSON from 01 to the end': (size) => {
    const log = headers(size, size, Marker.legacyStore, 0x31, () => size);
    return log;
  },
  'legacy stores of brackets': (size) => headers(size, 4096, Marker.legacyStore, 0x5b, (at) => at + 4096),
  'delete, bad record to a long chain, good record': (size) => {
    const half = size >> 1;
    const log = filled(size, 2);
    log.fill(0x20, 0, half);
    for (let at = 0; at + 64 <= half; at += 64) {
      log[at] = 2;
      log[at + 9] = Marker.crcStore;
      writeU32(log, at + 9 + 9, half + 9 * ((at >> 6) % 100) - (at + 9) - 17);
      log.set(small, at + 9 + 17);
    }
    log[size - 1] = 0x55;
    return log;
  },
  'delete, bad record to a far record cut by the end': (size) => {
    const half = size >> 1;
    const log = filled(size, 0x20);
    for (let at = 0; at + 64 <= half; at += 64) {
      log[at] = 2;
      log[at + 9] = Marker.crcStore;
      const target = half + at;
      writeU32(log, at + 9 + 9, target - (at + 9) - 17);
      log.set(small, at + 9 + 17);
      log[target] = Marker.crcStore;
      log.fill(0xff, target + 9, target + 13);
      log.set(small, target + 20);
    }
    return log;
  },
};
