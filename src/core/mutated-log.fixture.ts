import fc from 'fast-check';
import { LogBuilder } from './log-builder.fixture.ts';
import { Marker } from './record.ts';
import { readU64 } from './u64.ts';

/** Records of a log before anything happened to it. */
export interface OriginalLog {
  pieces: readonly Uint8Array[];
  offsets: readonly number[];
}

/** Positions are taken modulo what is there, so that any numbers make a mutation of any log. */
export type Mutation =
  | { kind: 'flip'; at: number; bit: number }
  | { kind: 'overwrite'; at: number; byte: number }
  | { kind: 'burst'; at: number; bytes: Uint8Array }
  | { kind: 'length'; record: number; value: number }
  | { kind: 'zero sector'; at: number; size: number }
  | { kind: 'truncate'; at: number }
  | { kind: 'insert'; at: number; bytes: Uint8Array }
  | { kind: 'remove'; at: number; length: number }
  | { kind: 'splice'; at: number; from: number; length: number };

export const appliedMutations: readonly Mutation['kind'][] = [
  'flip',
  'overwrite',
  'burst',
  'length',
  'zero sector',
  'truncate',
  'insert',
  'remove',
  'splice',
];

const id = fc.oneof(
  { weight: 6, arbitrary: fc.bigInt(0n, 9n) },
  { weight: 1, arbitrary: fc.bigInt(0n, 0xffff_ffff_ffff_ffffn) },
  // Ids whose bytes are markers themselves.
  { weight: 1, arbitrary: fc.constantFrom(0xc3c3_c3c3_c3c3_c3c3n, 0x0202_0202_0202_0202n, 0x0101_0000_0000_02c4n) },
);
const payload = fc.oneof(
  { weight: 5, arbitrary: fc.json({ maxDepth: 2 }) },
  { weight: 1, arbitrary: fc.nat(3000).map((length) => JSON.stringify('Ãé'.repeat(length >> 1))) },
);
const operation = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('store' as const), id, payload }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('delete' as const), id, payload: fc.constant('') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('legacyStore' as const), id, payload }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('legacyDelete' as const), id, payload: fc.constant('') }) },
);

/** Logs of up to thirty records, mostly with CRC, payloads always JSON. */
export const originalLog: fc.Arbitrary<OriginalLog> = fc
  .array(operation, { maxLength: 30, size: 'max' })
  .map((operations) => {
    const log = new LogBuilder();
    for (const step of operations) {
      if (step.kind === 'store') log.store(step.id, step.payload);
      else if (step.kind === 'legacyStore') log.legacyStore(step.id, step.payload);
      else log[step.kind](step.id);
    }
    return { pieces: log.pieces, offsets: log.offsets };
  });

const position = fc.nat(0x7fff_ffff);
const someBytes = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 40 }),
  fc
    .array(fc.constantFrom(0, 1, 2, 0xc3, 0xc4), { minLength: 1, maxLength: 20 })
    .map((bytes) => Uint8Array.from(bytes)),
);

/** One to five changes of a log. */
export const mutations: fc.Arbitrary<Mutation[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('flip' as const), at: position, bit: fc.nat(7) }),
    fc.record({
      kind: fc.constant('overwrite' as const),
      at: position,
      byte: fc.constantFrom(0, 1, 2, 0xc3, 0xc4, 0x99),
    }),
    fc.record({ kind: fc.constant('burst' as const), at: position, bytes: someBytes }),
    fc.record({
      kind: fc.constant('length' as const),
      record: position,
      value: fc.oneof(fc.nat(400), fc.nat(0xffff_ffff)),
    }),
    fc.record({ kind: fc.constant('zero sector' as const), at: position, size: fc.constantFrom(16, 64, 512) }),
    fc.record({ kind: fc.constant('truncate' as const), at: position }),
    fc.record({ kind: fc.constant('insert' as const), at: position, bytes: someBytes }),
    fc.record({ kind: fc.constant('remove' as const), at: position, length: fc.integer({ min: 1, max: 60 }) }),
    fc.record({
      kind: fc.constant('splice' as const),
      at: position,
      from: position,
      length: fc.integer({ min: 1, max: 400 }),
    }),
  ),
  { minLength: 1, maxLength: 5 },
);

export interface KnownRecord {
  offset: number;
  length: number;
  id: bigint;
  kind: 'store' | 'delete';
}

/** A log after its mutations, with where each byte came from. */
export class MutatedLog {
  readonly log: Uint8Array;

  constructor(
    private readonly original: OriginalLog,
    bytes: number[],
    /** For each byte its offset in the original log, or -1 where it was changed or added. */
    private readonly origins: number[],
  ) {
    this.log = Uint8Array.from(bytes);
  }

  /** The CRC records all of whose bytes stand together unchanged, wherever they are now. */
  untouched(): KnownRecord[] {
    const records: KnownRecord[] = [];
    const recordAt = new Map(this.original.offsets.map((offset, index) => [offset, index]));
    for (let offset = 0; offset < this.origins.length; offset++) {
      const from = this.origins[offset]!;
      const index = recordAt.get(from);
      if (index === undefined) continue;
      const piece = this.original.pieces[index]!;
      if (piece[0] !== Marker.crcStore && piece[0] !== Marker.crcDelete) continue;
      let same = 0;
      while (same < piece.length && this.origins[offset + same] === from + same) same++;
      if (same < piece.length) continue;
      const kind = piece[0] === Marker.crcStore ? 'store' : 'delete';
      records.push({ offset, length: piece.length, id: readU64(piece, 1), kind });
    }
    return records;
  }

  /** Whether these are the bytes of a record of the original log. */
  isOriginal(bytes: Uint8Array): boolean {
    return this.original.pieces.some(
      (piece) => piece.length === bytes.length && piece.every((byte, index) => byte === bytes[index]),
    );
  }
}

/** Does the changes one after the other. */
export function mutate(original: OriginalLog, changes: readonly Mutation[]): MutatedLog {
  const bytes = original.pieces.flatMap((piece) => [...piece]);
  const origins = bytes.map((_, offset) => offset);
  const put = (at: number, byte: number) => {
    if (at >= bytes.length || bytes[at] === byte) return;
    bytes[at] = byte;
    origins[at] = -1;
  };
  for (const change of changes) {
    const size = bytes.length;
    if (size === 0 && change.kind !== 'insert') continue;
    switch (change.kind) {
      case 'flip':
        put(change.at % size, bytes[change.at % size]! ^ (1 << change.bit));
        break;
      case 'overwrite':
        put(change.at % size, change.byte);
        break;
      case 'burst':
        change.bytes.forEach((byte, index) => void put((change.at % size) + index, byte));
        break;
      case 'length': {
        const at = origins.indexOf(original.offsets[change.record % Math.max(1, original.offsets.length)]!);
        if (at >= 0) for (let index = 0; index < 4; index++) put(at + 9 + index, (change.value >>> (8 * index)) & 0xff);
        break;
      }
      case 'zero sector': {
        const start = (change.at % size) - ((change.at % size) % change.size);
        for (let index = 0; index < change.size; index++) put(start + index, 0);
        break;
      }
      case 'truncate':
        bytes.length = change.at % (size + 1);
        origins.length = bytes.length;
        break;
      case 'insert': {
        const at = change.at % (size + 1);
        bytes.splice(at, 0, ...change.bytes);
        origins.splice(at, 0, ...Array.from(change.bytes, () => -1));
        break;
      }
      case 'remove':
        bytes.splice(change.at % size, change.length);
        origins.splice(change.at % size, change.length);
        break;
      case 'splice': {
        const from = change.from % size;
        const at = change.at % (size + 1);
        const copied = bytes.slice(from, from + change.length);
        const copiedOrigins = origins.slice(from, from + change.length);
        bytes.splice(at, 0, ...copied);
        origins.splice(at, 0, ...copiedOrigins);
        break;
      }
    }
  }
  return new MutatedLog(original, bytes, origins);
}
