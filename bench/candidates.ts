/**
 * How long the search for repair candidates takes. Prints one line per record size and kind of damage, the figures as JSON last.
 * Run: npx rolldown bench/candidates.ts --platform node --format esm --file out/bench-candidates.mjs && node out/bench-candidates.mjs
 */
import { crc32 } from '../src/core/crc32-algebra.ts';
import { isAccepted } from '../src/core/json/accept.ts';
import { encodeDelete, encodeStore } from '../src/core/record.ts';
import { findCandidates } from '../src/core/repair/candidates.ts';

const checksum = (bytes: Uint8Array): number => crc32(bytes);
const RUNS = 15;

function recordOf(size: number): Uint8Array {
  if (size === 13) return encodeDelete(42n, checksum);
  const rows: string[] = [];
  let length = 20;
  for (let row = 0; length < size - 80; row++) {
    const text = `{"n":${row},"name":"entry ${row}","tags":["a","b"],"score":${row / 8}}`;
    rows.push(text);
    length += text.length + 1;
  }
  const body = `[${rows.join(',')}]`;
  return encodeStore(42n, new TextEncoder().encode(body.padEnd(size - 17, ' ')), checksum);
}

const damages: [string, (record: Uint8Array) => Uint8Array][] = [
  ['bit in payload', (record) => flipped(record, record.length >> 1, 0x04)],
  ['byte in id', (record) => flipped(record, 3, 0x5a)],
  ['length field', (record) => flipped(record, 10, 0x5a)],
  ['marker', (record) => flipped(record, 0, 0x5a)],
  ['stored CRC', (record) => flipped(record, record.length - 2, 0x5a)],
  [
    'byte lost',
    (record) => new Uint8Array([...record.subarray(0, record.length - 6), ...record.subarray(record.length - 5)]),
  ],
];

function flipped(record: Uint8Array, position: number, error: number): Uint8Array {
  const result = record.slice();
  result[position]! ^= error;
  return result;
}

const figures: {
  size: number;
  damage: string;
  medianMs: number;
  maxMs: number;
  candidates: number;
  foundAtRank: number | null;
}[] = [];
const next = encodeStore(43n, new TextEncoder().encode('{"next":1}'), checksum);
for (const size of [13, 1024, 64 * 1024, 1024 * 1024]) {
  const record = recordOf(size);
  for (const [damage, apply] of damages) {
    const damaged = apply(record);
    const bytes = new Uint8Array(damaged.length + next.length);
    bytes.set(damaged);
    bytes.set(next, damaged.length);
    const times: number[] = [];
    let result = { candidates: [] as { record: Uint8Array; rank: number }[], more: 0 };
    for (let run = 0; run < RUNS; run++) {
      const start = performance.now();
      result = findCandidates({
        bytes,
        segmentLength: damaged.length,
        framingBelieved: false,
        followingRecords: [damaged.length],
        isPayloadJson: isAccepted,
        isPlausibleId: () => true,
      });
      times.push(performance.now() - start);
    }
    times.sort((a, b) => a - b);
    const found = result.candidates.find((candidate) => Buffer.compare(candidate.record, record) === 0);
    const figure = {
      size,
      damage,
      medianMs: Number(times[RUNS >> 1]!.toFixed(2)),
      maxMs: Number(times[RUNS - 1]!.toFixed(2)),
      candidates: result.candidates.length + result.more,
      foundAtRank: found?.rank ?? null,
    };
    figures.push(figure);
    console.log(
      `${String(size).padStart(8)} B  ${damage.padEnd(15)} median ${figure.medianMs.toFixed(2).padStart(7)} ms  max ${figure.maxMs.toFixed(2).padStart(7)} ms  ` +
        `${figure.candidates} fit, the true one at rank ${figure.foundAtRank ?? '-'}`,
    );
  }
}
console.log(JSON.stringify(figures));
