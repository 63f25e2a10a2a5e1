import fc from 'fast-check';
import { LogBuilder, text } from '../log-builder.fixture.ts';

/** A log that something happened to, and the records of which nothing was touched, where they now stand. */
export interface MutatedLog {
  bytes: Uint8Array;
  untouched: { offset: number; length: number; crc: boolean }[];
}

type Piece =
  | { type: 'store'; id: number; payload: string; legacy: boolean }
  | { type: 'delete'; id: number; legacy: boolean }
  | { type: 'binary'; id: number; bytes: Uint8Array };

type Mutation =
  | { type: 'flip'; at: number; bit: number }
  | { type: 'burst'; at: number; bytes: Uint8Array }
  | { type: 'zero'; at: number; length: number }
  | { type: 'truncate'; at: number }
  | { type: 'insert'; at: number; bytes: Uint8Array }
  | { type: 'remove'; at: number; length: number }
  | { type: 'append'; bytes: Uint8Array }
  | { type: 'again'; from: number; length: number };

const id = fc.nat({ max: 6 });
const payload = fc.oneof(
  fc.json({ maxDepth: 1 }).map((value) => value.slice(0, 60)),
  fc.constantFrom('{"a":1}', '{"name":"x","n":12}', '[1,2,3]', 'null', '1e999', '1.7976931348623158e308', '"\\ud800"'),
);
const piece: fc.Arbitrary<Piece> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('store' as const), id, payload, legacy: fc.constant(false) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('delete' as const), id, legacy: fc.constant(false) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('store' as const), id, payload, legacy: fc.constant(true) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('delete' as const), id, legacy: fc.constant(true) }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('binary' as const), id, bytes: fc.uint8Array({ maxLength: 30 }) }),
  },
);
const at = fc.nat({ max: 1000 });
const bytes = fc.uint8Array({ minLength: 1, maxLength: 20 });
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constant('flip' as const), at, bit: fc.nat({ max: 7 }) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('burst' as const), at, bytes }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('zero' as const), at, length: fc.nat({ max: 40 }) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('truncate' as const), at }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('insert' as const), at, bytes }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('remove' as const), at, length: fc.nat({ max: 40 }) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('append' as const), bytes }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('again' as const), from: at, length: fc.nat({ max: 80 }) }) },
);

export const mutatedLog: fc.Arbitrary<MutatedLog> = fc
  .record({ pieces: fc.array(piece, { maxLength: 12 }), mutations: fc.array(mutation, { maxLength: 3 }) })
  .map(({ pieces, mutations }) => {
    const builder = new LogBuilder();
    const spans: { offset: number; length: number; crc: boolean }[] = [];
    for (const one of pieces) {
      const offset = builder.length;
      if (one.type === 'binary') builder.store(one.id, one.bytes);
      else if (one.type === 'delete') one.legacy ? builder.legacyDelete(one.id) : builder.delete(one.id);
      else if (one.legacy) builder.legacyStore(one.id, text(one.payload));
      else builder.store(one.id, text(one.payload));
      spans.push({ offset, length: builder.length - offset, crc: one.type === 'binary' || !one.legacy });
    }
    return mutations.reduce(mutate, { bytes: builder.bytes(), untouched: spans });
  });

function mutate(log: MutatedLog, change: Mutation): MutatedLog {
  const { bytes } = log;
  const place = (wanted: number) => (bytes.length === 0 ? 0 : wanted % bytes.length);
  if (change.type === 'append') return { bytes: joined(bytes, change.bytes), untouched: log.untouched };
  if (change.type === 'again') {
    const from = place(change.from);
    return { bytes: joined(bytes, bytes.subarray(from, from + change.length)), untouched: log.untouched };
  }
  const from = place(change.at);
  if (change.type === 'insert' || change.type === 'remove') {
    const removed = change.type === 'remove' ? Math.min(change.length, bytes.length - from) : 0;
    const inserted = change.type === 'insert' ? change.bytes : new Uint8Array(0);
    const shift = inserted.length - removed;
    return {
      bytes: joined(bytes.subarray(0, from), inserted, bytes.subarray(from + removed)),
      untouched: log.untouched.flatMap((span) => {
        if (span.offset + span.length <= from) return [span];
        return span.offset >= from + removed ? [{ ...span, offset: span.offset + shift }] : [];
      }),
    };
  }
  const copy = bytes.slice();
  let to = from;
  if (change.type === 'truncate') {
    return {
      bytes: bytes.slice(0, from),
      untouched: log.untouched.filter(({ offset, length }) => offset + length <= from),
    };
  }
  if (change.type === 'flip' && from < copy.length) {
    copy[from]! ^= 1 << change.bit;
    to = from + 1;
  } else if (change.type === 'burst') {
    copy.set(change.bytes.subarray(0, copy.length - from), from);
    to = from + change.bytes.length;
  } else if (change.type === 'zero') {
    copy.fill(0, from, from + change.length);
    to = from + change.length;
  }
  return {
    bytes: copy,
    untouched: log.untouched.filter(({ offset, length }) => offset + length <= from || offset >= to),
  };
}

function joined(...pieces: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(pieces));
}
