import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crc32 } from '../crc32-algebra.ts';
import { isAccepted } from '../json/accept.ts';
import { encodeDelete, encodeLegacyDelete, encodeLegacyStore, encodeStore } from '../record.ts';
import { writeU32 } from '../u64.ts';
import type { Candidate, CandidateInput } from './candidates.ts';
import { findCandidates, soleProven } from './candidates.ts';
import { findAdjacentErrors, syndromeOf } from './error-search.ts';

const seed = Number(process.env.FC_SEED ?? Date.now() % 0x7fffffff);
console.info(`repair candidates: property seed ${seed} (FC_SEED=${seed} repeats it)`);

const encoder = new TextEncoder();

const checksum = (bytes: Uint8Array): number => crc32(bytes);
const store = (id: bigint, payload: string): Uint8Array => encodeStore(id, encoder.encode(payload), checksum);
const remove = (id: bigint): Uint8Array => encodeDelete(id, checksum);

/** A JSON payload of exactly that many bytes (0, or at least 1). */
function payloadOf(length: number): string {
  if (length < 9) return '9'.repeat(length);
  const text = 'The quick brown fox, Größe and 世界; '.repeat(Math.ceil(length / 30));
  let body = '';
  let size = 9; // {"t":""} and a digit's worth of slack, filled below
  for (const character of text) {
    const bytes = encoder.encode(character).length;
    if (size + bytes > length) break;
    body += character;
    size += bytes;
  }
  return `{"t":"${body}${'x'.repeat(length - size)}"} `;
}

const follower = store(77n, '{"next":true}');

function joined(...parts: Uint8Array[]): Uint8Array {
  const result = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}

/** The search as a scan would ask for it: the damaged record, then an intact one. */
function search(damaged: Uint8Array, more: Partial<CandidateInput> = {}) {
  return findCandidates({
    bytes: joined(damaged, follower),
    segmentLength: damaged.length,
    framingBelieved: false,
    followingRecords: [damaged.length],
    isPayloadJson: isAccepted,
    isPlausibleId: () => true,
    ...more,
  });
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

function candidateFor(candidates: readonly Candidate[], original: Uint8Array): Candidate | undefined {
  return candidates.find((candidate) => isSame(candidate.record, original));
}

/** Undoes the changes' direction: the damaged bytes with the candidate's changes applied by hand. */
function applied(bytes: Uint8Array, candidate: Candidate): Uint8Array {
  let result = bytes;
  for (const { offset, before, after } of candidate.changes) {
    expect([...result.subarray(offset, offset + before.length)]).toEqual([...before]);
    result = joined(result.subarray(0, offset), after, result.subarray(offset + before.length));
  }
  return result.subarray(0, candidate.length);
}

function damagedBy(record: Uint8Array, position: number, error: number, size = 1): Uint8Array {
  const damaged = record.slice();
  for (let index = 0; index < size; index++) damaged[position + index]! ^= (error >>> (8 * index)) & 0xff;
  return damaged;
}

function expectTrueRecord(
  record: Uint8Array,
  damaged: Uint8Array,
  what: string,
  more: Partial<CandidateInput> = {},
): Candidate {
  const { candidates } = search(damaged, more);
  const candidate = candidateFor(candidates, record);
  if (candidate === undefined) expect.fail(`${what}: the true record is not among ${candidates.length} candidates`);
  expect(candidate.provenByCrc, what).toBe(true);
  return candidate;
}

const small: [string, Uint8Array][] = [
  ['a delete', remove(0x1122334455667788n)],
  ['a store without payload', store(1n, '')],
  ['a store of one byte', store(2n, '7')],
  ['a store of 40 bytes', store(0xfffffffffffffffen, payloadOf(23))],
  ['a store of 200 bytes', store(3n, payloadOf(183))],
];

describe('damage of one byte, every position and every value', () => {
  test.each(small)('%s is among the candidates', (_name, record) => {
    for (let position = 0; position < record.length; position++) {
      for (let error = 1; error < 256; error++) {
        expectTrueRecord(record, damagedBy(record, position, error), `byte ${position} xor ${error}`);
      }
    }
  });
});

describe('damage of one byte without anything intact behind it', () => {
  test.each(small)('%s is among the candidates when it is the last of the log', (_name, record) => {
    for (let position = 0; position < record.length; position++) {
      for (let bit = 0; bit < 8; bit++) {
        const damaged = damagedBy(record, position, 1 << bit);
        expectTrueRecord(record, damaged, `byte ${position} bit ${bit}`, { bytes: damaged, followingRecords: [] });
      }
    }
  });
});

describe('two adjacent wrong bytes', () => {
  test.each(small)('anywhere, also across fields, leave %s among the candidates', (_name, record) => {
    for (let position = 0; position + 1 < record.length; position++) {
      for (const error of [0x0101, 0xffff, 0x8001, 0x01ff, 0x2040, 0xc3c4]) {
        expectTrueRecord(
          record,
          damagedBy(record, position, error, 2),
          `bytes ${position}.. xor ${error.toString(16)}`,
        );
      }
    }
  });

  test('hold for random errors, ids and payloads', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        fc.json(),
        fc.nat(),
        fc.integer({ min: 1, max: 0xffff }),
        (id, payload, at, error) => {
          const record = store(id, payload);
          expectTrueRecord(record, damagedBy(record, at % (record.length - 1), error, 2), 'two bytes');
        },
      ),
      { seed, numRuns: 500 },
    );
  });
});

describe.each([
  ['64 KiB', 64 * 1024],
  ['1 MiB', 1024 * 1024],
])('a record of %s', (_name, size) => {
  const record = store(4711n, payloadOf(size - 17));
  const positions = [0, 1, 8, 9, 10, 11, 12, 13, 14, size >> 1, size - 6, size - 5, size - 4, size - 1];

  test('is among the candidates after a wrong bit or byte in any field', () => {
    expect(record.length).toBe(size);
    for (const position of positions) {
      for (const error of [0x01, 0x80, 0x5a]) {
        const candidate = expectTrueRecord(record, damagedBy(record, position, error), `byte ${position} xor ${error}`);
        expect(candidate.leavesJson).toBe(true);
        expect(candidate.rank).toBe(1);
      }
    }
  });

  test('is among the candidates after two adjacent wrong bytes', () => {
    for (const position of positions.slice(0, -1)) {
      expectTrueRecord(record, damagedBy(record, position, 0x0102, 2), `bytes ${position}..`);
    }
  });

  test('is among the candidates after a wrong byte at sampled places', () => {
    fc.assert(
      fc.property(fc.nat({ max: size - 1 }), fc.integer({ min: 1, max: 255 }), (position, error) => {
        expectTrueRecord(record, damagedBy(record, position, error), `byte ${position} xor ${error}`);
      }),
      { seed, numRuns: size > 100_000 ? 12 : 60 },
    );
  });
});

describe('the length field', () => {
  const record = store(5n, payloadOf(100));

  test('is solved for any wrong value of all its four bytes', () => {
    fc.assert(
      fc.property(fc.nat({ max: 0xffffffff }), (claimed) => {
        fc.pre(claimed !== 100);
        const damaged = record.slice();
        writeU32(damaged, 9, claimed);
        const candidate = expectTrueRecord(record, damaged, `length ${claimed}`);
        expect(candidate.kind).toBe('length');
      }),
      { seed, numRuns: 500 },
    );
  });

  test('that claims 4 GiB is solved', () => {
    const damaged = record.slice();
    writeU32(damaged, 9, 0xffffffff);
    expectTrueRecord(record, damaged, 'length 4294967295');
  });

  test('grown onto the end of the next record is solved, and so is one shrunk onto a boundary', () => {
    const swallowed = joined(record, store(6n, '{"swallowed":1}'));
    const grown = swallowed.slice();
    writeU32(grown, 9, swallowed.length - 17);
    const { candidates } = search(grown, { framingBelieved: true });
    expect(candidateFor(candidates, record)).toMatchObject({ kind: 'length', provenByCrc: true, leavesJson: true });

    const inner = store(8n, '1');
    const outer = encodeStore(7n, joined(encoder.encode('"'), inner, encoder.encode('"')), checksum);
    const shrunk = outer.slice();
    writeU32(shrunk, 9, 1);
    const found = candidateFor(search(shrunk).candidates, outer);
    expect(found).toMatchObject({ kind: 'length', provenByCrc: true, leavesJson: false });
  });

  test('says the old and the new length and where the record then ends', () => {
    const damaged = damagedBy(record, 9, 0x10);
    const candidate = expectTrueRecord(record, damaged, 'length', { recordOffset: 1000 });
    expect(candidate.description).toBe(
      'A wrong length field: it says 116 bytes (0x00000074) and should say 100 (0x00000064), changed at byte 9 of the record ' +
        '(offset 1009 in the log). The record is then 117 bytes long and ends where the next intact record starts. With that the CRC agrees.',
    );
  });
});

describe('the marker', () => {
  test.each([
    ['store', store(9n, '{"a":1}')],
    ['delete', remove(9n)],
  ])('of a %s is found again from every other value', (_name, record) => {
    for (let marker = 0; marker < 256; marker++) {
      if (marker === record[0]) continue;
      const damaged = record.slice();
      damaged[0] = marker;
      expect(expectTrueRecord(record, damaged, `marker ${marker}`).kind).toBe('marker');
    }
  });
});

describe('the stored CRC', () => {
  const record = store(10n, '{"sound":[1,2,3]}');

  test('wrong in one or two bytes is proven by the rest of it', () => {
    const candidate = expectTrueRecord(record, damagedBy(record, record.length - 2, 0x40), 'crc');
    expect(candidate).toMatchObject({ kind: 'bit-flip', provenByCrc: true });
    expect(candidate.description).toContain('in the stored CRC');
  });

  test.each([
    ['store', record],
    ['delete', remove(10n)],
  ])('of a %s wrong in all bytes is offered as a rewrite that nothing proves', (_name, whole) => {
    const damaged = whole.slice();
    for (let index = 1; index <= 4; index++) damaged[whole.length - index]! ^= 0x35 + index;
    const candidate = candidateFor(search(damaged, { framingBelieved: true }).candidates, whole);
    expect(candidate).toMatchObject({
      kind: 'stored-crc',
      provenByCrc: false,
      leavesJson: true,
      expectedByAccident: 1,
    });
    expect(candidate!.description).toContain('nothing proves');
    expect(soleProven([candidate!])).toBeNull();
  });

  test('is not rewritten over a payload that is not JSON', () => {
    const broken = encodeStore(10n, encoder.encode('{"sound":'), checksum);
    for (let index = 1; index <= 4; index++) broken[broken.length - index]! ^= 0x35 + index;
    expect(search(broken, { framingBelieved: true }).candidates.filter(({ kind }) => kind === 'stored-crc')).toEqual(
      [],
    );
  });
});

describe('a missing byte and a byte too many', () => {
  const records: [string, Uint8Array][] = [
    ['a delete', remove(0x0102030405060709n)],
    ['a store', store(0x0102030405060708n, '{"name":"abbc","n":[1,22,333]}')],
    ['a store of 5000 bytes', store(12n, payloadOf(4983))],
  ];

  test.each(records)('%s is found again with any one byte lost', (_name, record) => {
    const step = record.length > 1000 ? 97 : 1;
    for (let position = 0; position < record.length; position += step) {
      const damaged = joined(record.subarray(0, position), record.subarray(position + 1));
      const candidate = expectTrueRecord(record, damaged, `without byte ${position}`);
      expect(candidate).toMatchObject({ kind: 'dropped-byte', rank: 1 });
    }
  });

  test.each(records)('%s is found again with any one byte put in', (_name, record) => {
    const step = record.length > 1000 ? 97 : 1;
    for (let position = 1; position <= record.length - 1; position += step) {
      for (const value of [0x00, 0x0d, 0x20, record[position]!, record[position - 1]!]) {
        const damaged = joined(record.subarray(0, position), Uint8Array.of(value), record.subarray(position));
        const { candidates } = search(damaged);
        const candidate = candidateFor(candidates, record);
        // A byte equal to the last one, put behind it, leaves an intact record with a stray byte behind: nothing to repair.
        const isWhole = isSame(damaged.subarray(0, record.length), record);
        if (!isWhole) expect(candidate?.provenByCrc, `${value} before byte ${position}`).toBe(true);
        else expect(candidates).toEqual([]);
      }
    }
  });

  test('is listed once, however many equal bytes it stands among', () => {
    const record = store(13n, `"${'a'.repeat(50)}"`);
    const damaged = joined(record.subarray(0, 30), record.subarray(31));
    const { candidates } = search(damaged);
    expect(candidates.filter((candidate) => isSame(candidate.record, record))).toHaveLength(1);
  });
});

describe('records without a CRC', () => {
  const record = encodeLegacyStore(14n, encoder.encode('{"old":"format"}'));

  test('get a marker where the next record fits, and it is never called proven', () => {
    for (const [whole, marker] of [
      [record, 0x41],
      [record, 0xc3],
      [encodeLegacyDelete(14n), 0x03],
    ] as const) {
      const damaged = whole.slice();
      damaged[0] = marker;
      const candidate = candidateFor(search(damaged).candidates, whole);
      expect(candidate).toMatchObject({ kind: 'marker', provenByCrc: false, leavesJson: true });
      expect(candidate!.description).toContain('nothing proves it');
    }
  });

  test('get a length where JSON fills the way to the next record', () => {
    const damaged = damagedBy(record, 10, 0x20);
    const candidate = candidateFor(search(damaged).candidates, record);
    expect(candidate).toMatchObject({ kind: 'length', provenByCrc: false, leavesJson: true });
  });

  test('get nothing where their payload is not JSON', () => {
    const damaged = damagedBy(damagedBy(record, 0, 0x40), 13, 0xff);
    expect(search(damaged).candidates).toEqual([]);
  });
});

/** Two wrong bytes in the payload's text that change the CRC exactly as one wrong byte at the start of the id does. */
function rivalPayloadError(record: Uint8Array): { idError: number; position: number; error: number } {
  const isText = (byte: number): boolean => byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c;
  for (let idError = 1; idError < 256; idError++) {
    const rivals: { position: number; error: number }[] = [];
    findAdjacentErrors(syndromeOf(damagedBy(record, 1, idError), record.length), record.length, (found) => {
      const { position, error, size } = found;
      const inText = position > 14 && position < record.length - 8;
      if (size === 2 && inText && isText(0x78 ^ (error & 0xff)) && isText(0x78 ^ (error >>> 8))) rivals.push(found);
    });
    if (rivals[0] !== undefined) return { idError, ...rivals[0] };
  }
  return expect.fail('no two errors with the same effect in a record of this size');
}

describe('the list', () => {
  test('is empty for an intact record', () => {
    expect(search(store(15n, '{"fine":true}'))).toEqual({ candidates: [], more: 0 });
    expect(search(remove(15n))).toEqual({ candidates: [], more: 0 });
  });

  test('is empty for damage that no small change explains', () => {
    const record = store(16n, payloadOf(60));
    const damaged = record.slice();
    for (let index = 1; index < 50; index += 5) damaged[index]! ^= 0x11;
    expect(search(damaged)).toEqual({ candidates: [], more: 0 });
  });

  test('holds for any bytes: every change applies, frames a record and is proven by it, in at most the asked number', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 400 }),
        fc.constantFrom(0xc3, 0xc4, 0x01, 0x02, null),
        fc.nat({ max: 400 }),
        fc.integer({ min: 0, max: 3 }),
        (noise, marker, length, maximumCandidates) => {
          const bytes = noise.slice();
          if (marker !== null && bytes.length > 0) bytes[0] = marker;
          if (bytes.length >= 13) writeU32(bytes, 9, length);
          const copy = bytes.slice();
          const { candidates } = search(bytes, { bytes, followingRecords: [9, 13, 40], maximumCandidates });
          expect(isSame(bytes, copy)).toBe(true);
          expect(candidates.length).toBeLessThanOrEqual(maximumCandidates);
          for (const candidate of candidates) {
            expect(isSame(applied(bytes, candidate), candidate.record)).toBe(true);
            if (candidate.provenByCrc) expect(search(candidate.record).candidates).toEqual([]);
          }
        },
      ),
      { seed, numRuns: 2000 },
    );
  });

  test('leaves the bytes alone also when they come as a Node buffer', () => {
    const record = store(24n, '{"k":"v"}');
    for (const damaged of [damagedBy(record, 20, 4), damagedBy(record, 9, 0x31), damagedBy(record, 8, 0x1234, 2)]) {
      const bytes = Buffer.from(joined(damaged, follower));
      const before = bytes.toString('hex');
      const candidate = expectTrueRecord(record, damaged, 'buffer', { bytes });
      expect(bytes.toString('hex')).toBe(before);
      expect(isSame(applied(bytes, candidate), record)).toBe(true);
    }
  });

  test('does not take a torn end of the log for a lost byte or another format', () => {
    const record = store(25n, '{"k":"v"}');
    for (const missing of [1, 4]) {
      const torn = record.subarray(0, record.length - missing);
      expect(search(torn, { bytes: torn, followingRecords: [] })).toEqual({ candidates: [], more: 0 });
    }
  });

  test('applied by hand gives the record, for every kind of change', () => {
    const record = store(17n, '{"k":"v"}');
    for (const damaged of [
      damagedBy(record, 20, 4),
      damagedBy(record, 9, 0x31),
      damagedBy(record, 15, 0x1234, 2),
      joined(record.subarray(0, 5), record.subarray(6)),
      joined(record.subarray(0, 18), Uint8Array.of(0x0d), record.subarray(18)),
    ]) {
      const candidate = expectTrueRecord(record, damaged, 'change');
      expect(isSame(applied(joined(damaged, follower), candidate), record)).toBe(true);
    }
  });

  test('puts what leaves JSON before what does not, and a plausible id before another', () => {
    // A megabyte gives about sixteen pairs of bytes that fit by accident beside the true repair.
    const record = store(18n, payloadOf(1 << 20));
    const { candidates } = search(damagedBy(record, 70_000, 0x02));
    expect(candidates.length).toBeGreaterThan(1);
    expect(isSame(candidates[0]!.record, record)).toBe(true);
    const order = candidates.map((candidate) => Number(candidate.leavesJson));
    expect(order).toEqual([...order].sort((a, b) => b - a));
    expect(candidates.map((candidate) => candidate.rank)).toEqual(candidates.map((_, index) => index + 1));
    expect(candidates.filter((candidate) => candidate.kind === 'two-bytes')[0]!.description).toContain('by accident');
  });

  test('holds every repair that fits when several do, and ranks them by the id', () => {
    const payload = `"${'x'.repeat(8000)}"`;
    const record = store(0x41n, payload);
    const rival = rivalPayloadError(record);
    const damaged = damagedBy(record, 1, rival.idError);
    const other = damagedBy(damaged, rival.position, rival.error, 2);
    for (const [first, second] of [
      [record, other],
      [other, record],
    ] as const) {
      const { candidates } = search(damaged, { isPlausibleId: (low) => low === first[1] });
      expect(isSame(candidates[0]!.record, first)).toBe(true);
      expect(candidates[0]).toMatchObject({ provenByCrc: true, leavesJson: true, plausibleId: true, rank: 1 });
      expect(candidateFor(candidates, second)).toMatchObject({
        provenByCrc: true,
        leavesJson: true,
        plausibleId: false,
      });
    }
  });

  test('is cut at the asked number, and says how many more fit', () => {
    const record = store(19n, payloadOf(1 << 20));
    const all = search(damagedBy(record, 300, 0x02));
    const cut = search(damagedBy(record, 300, 0x02), { maximumCandidates: 2 });
    expect(cut.candidates.map(({ changes }) => changes)).toEqual(
      all.candidates.slice(0, 2).map(({ changes }) => changes),
    );
    expect(cut.more).toBe(all.candidates.length - 2);
  });

  test('stays short and quick on bytes made so that a great many lengths fit', () => {
    // Each block ends in the CRC that a record ending there would have to store.
    const bytes = new Uint8Array(64 * 1024).fill(0x20);
    bytes[0] = 0xc3;
    let fits = 0;
    for (let end = 17; end + 4 <= bytes.length; end += 4) {
      writeU32(bytes, 9, end - 13);
      writeU32(bytes, end, crc32(bytes, 0, end));
      fits++;
    }
    writeU32(bytes, 9, 3);
    let checkedBytes = 0;
    const { candidates, more } = search(bytes, {
      bytes,
      followingRecords: [],
      jsonCheckBudget: 100_000,
      isPayloadJson: (_bytes, start, end) => {
        checkedBytes += end - start;
        return true;
      },
    });
    expect(candidates).toHaveLength(64);
    expect(candidates.length + more).toBeGreaterThanOrEqual(fits);
    expect(checkedBytes).toBeLessThanOrEqual(100_000);
  });
});

describe('soleProven', () => {
  test('is the only one that the CRC proves', () => {
    const record = store(20n, '{"one":1}');
    const { candidates } = search(damagedBy(record, 17, 1));
    expect(soleProven(candidates)?.record).toEqual(record);
  });

  test('is nothing when two fit', () => {
    const record = store(21n, '{"one":1}');
    const { candidates } = search(damagedBy(record, 17, 1));
    expect(soleProven([...candidates, { ...candidates[0]!, rank: 2 }])).toBeNull();
  });

  test('is nothing when the repaired payload is not JSON', () => {
    const record = encodeStore(22n, encoder.encode('{"one":'), checksum);
    expect(soleProven(search(damagedBy(record, 17, 1)).candidates)).toBeNull();
  });

  test('does not count fits that are to be expected by accident', () => {
    const record = store(23n, payloadOf(1 << 20));
    const { candidates } = search(damagedBy(record, 70_000, 0x02));
    expect(candidates.filter((candidate) => candidate.provenByCrc).length).toBeGreaterThan(1);
    expect(soleProven(candidates)?.kind).toBe('bit-flip');
  });
});
