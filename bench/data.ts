import { closeSync, openSync, writeSync } from 'node:fs';
import { CRC_STORE_OVERHEAD, encodeStore } from '../src/core/record.ts';
import { crc32 } from '../src/main/engine/crc32.ts';

/** Same seed, same bytes, on every machine (mulberry32). Returns numbers in [0, 1). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

const WORDS = 'amber basil cedar delta ember fjord grove heron iris juniper kelp lotus maple north ochre pearl'.split(
  ' ',
);
/** So many different texts are made; more would measure the generator. */
const TEXTS = 512;
/** A word that stands in one of so many records, for searches. */
export const RARE_WORD = 'nightingale';
const RARE_EVERY = 10_007;

/** JSON objects of exactly `length` bytes, as VelesDB writes them: compact, keys in order. */
function texts(length: number, random: () => number): Uint8Array[] {
  const encoder = new TextEncoder();
  return Array.from({ length: TEXTS }, (_, index) => {
    const head = `{"content":"`;
    const tail = `","score":${(index % 1000) / 8 + 1000},"tags":["${WORDS[index % 16]}"]}`;
    let body = '';
    while (body.length < length) body += `${WORDS[Math.floor(random() * 16)]} `;
    const text = `${head}${body.slice(0, Math.max(0, length - head.length - tail.length))}${tail}`;
    return encoder.encode(text.length === length ? text : `"${body.slice(0, length - 2)}"`);
  });
}

export interface LogDescription {
  /** Bytes of a whole record. */
  recordSize: number;
  records: number;
  seed: number;
}

/**
 * Writes a log: nine of ten records are of a new id, in sequence, one is a new version of an earlier id. Returns its size in bytes.
 */
export function writeLog(path: string, { recordSize, records, seed }: LogDescription): number {
  const random = randomNumbers(seed);
  const payloads = texts(recordSize - CRC_STORE_OVERHEAD, random);
  const rare = payloads.map((payload) => {
    const copy = payload.slice();
    copy.set(new TextEncoder().encode(RARE_WORD), Math.min(14, copy.length - RARE_WORD.length - 2));
    return copy;
  });
  const file = openSync(path, 'w');
  const buffer = new Uint8Array(Math.max(8 << 20, recordSize));
  let filled = 0;
  let ids = 0;
  let size = 0;
  for (let record = 0; record < records; record++) {
    const id = record > 0 && random() < 0.1 ? Math.floor(random() * ids) : ids++;
    const choice = record % RARE_EVERY === 1 ? rare : payloads;
    const bytes = encodeStore(BigInt(id), choice[record % TEXTS]!, crc32);
    if (filled + bytes.length > buffer.length) {
      writeSync(file, buffer, 0, filled);
      filled = 0;
    }
    buffer.set(bytes, filled);
    filled += bytes.length;
    size += bytes.length;
  }
  writeSync(file, buffer, 0, filled);
  closeSync(file);
  return size;
}
