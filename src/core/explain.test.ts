import { describe, expect, it } from 'vitest';
import { MemorySource } from './byte-source.ts';
import { type Explanation, explainDamage } from './explain.ts';
import { GENERATIONS, type Generation } from './generation.ts';
import { goldenCases, goldenPresent } from './golden.fixture.ts';
import { IdIndex } from './id-index.ts';
import { LogBuilder, packageCrc32, text } from './log-builder.fixture.ts';
import { checkPayloads } from './payload-check.ts';
import { scan } from './scan.ts';
import { encodeSnapshot, parseSnapshot } from './snapshot.ts';
import { runToEnd } from './steps.ts';

/** All damage of a log explained, in file order. */
function explained(log: Uint8Array, snapshotBytes: Uint8Array | null = null): (Explanation & { row: number })[] {
  const source = new MemorySource(log);
  const table = runToEnd(scan({ source, crc32: packageCrc32 }));
  table.link();
  runToEnd(checkPayloads({ source, table }));
  const parsed = snapshotBytes ? parseSnapshot(snapshotBytes, packageCrc32) : null;
  const snapshot = parsed?.ok ? parsed.snapshot : null;
  const rows = Array.from({ length: table.rows }, (_, row) => row).filter((row) => table.isDamaged(row));
  return rows.map((row) => ({ row, ...explainDamage({ source, table, snapshot }, row) }));
}

function textOf(explanation: Explanation, generation: Generation): string {
  return explanation.consequences.find((entry) => entry.generation === generation)!.text;
}

function snapshotOf(position: number, entries: [number, number][]): Uint8Array {
  const index = new IdIndex();
  for (const [id, offset] of entries) index.set(id, 0, offset);
  return encodeSnapshot(position, index, packageCrc32);
}

/**
 * What was done to each golden log (golden/INDEX.md), and what a person has to be told first: each phrase must be in the title or the
 * explanation of the damage with that number, in file order. CRCs and offsets are read from the bytes.
 */
const TOLD: Record<string, string[][]> = {
  flip_payload_mid: [['store of id 2 at 0x25', '36 bytes', '820D8EAA is stored', 'No other record of id 2']],
  flip_payload_last: [['store of id 3 at 0x49', 'the log ends where it says', 'No other record of id 3']],
  flip_stored_crc: [['820C8EAA is stored, its bytes give 820D8EAA']],
  flip_id: [['store of id 66 at 0x25', 'unless its id is what was damaged']],
  flip_first_record: [['store of id 1 at 0x0', '9FC16F7A is stored']],
  corrupt_delete_id: [['delete of id 130 at 0x6e', 'its id is what was damaged and another id comes back']],
  two_corruptions: [['id 1 at 0x0'], ['id 3 at 0x49']],
  two_kinds: [['id 1 at 0x0'], ['delete of id 2 at 0x6e', 'at 0x7b', 'id 2 comes back as the version at 0x25']],
  bad_then_good_same_id: [['store of id 2 at 0x25', 'newer version of id 2, at 0x49, is intact']],
  ok_record_inside_payload: [['store of id 5 at 0x25', '50 bytes', 'F194D426 is stored']],
  len_shrink: [['claims 15 bytes of payload', 'no record starts at 0x45', 'at 0x49']],
  len_zero: [['claims 0 bytes of payload', 'no record starts at 0x36']],
  len_huge: [['claims 4294967295 bytes of payload', '4294967239 bytes behind the end of the log']],
  len_past_eof: [['claims 57 bytes of payload', '1 byte behind the end of the log']],
  len_last_grow: [['cut after 37 of its 38 bytes']],
  dropped_byte: [['no record starts at 0x49', '35 bytes on, at 0x48']],
  inserted_byte: [['no record starts at 0x49', '37 bytes on, at 0x4a']],
  marker_unknown_first: [['37 bytes at 0x0', 'the first is 43', 'at 0x25']],
  marker_c3_to_01: [['4 bytes at 0x45', 'the first is AA']],
  marker_c3_to_02: [['legacy delete of id 2 at 0x25', 'no record starts at 0x2e']],
  marker_c3_to_c4: [['delete of id 2 at 0x25', 'no record starts at 0x32']],
  marker_c4_to_c3: [['store of id 2 at 0x6e', '1090994583 bytes', 'older version of id 2 at 0x25']],
  marker_legacy_1_to_2: [['legacy delete of id 1 at 0x0', 'at 0x14']],
  latest_wrote_after_unknown_marker: [['9 bytes at 0x6e', 'the first is 99', 'at 0x77']],
  seed_wrote_after_legacy_torn: [['legacy store of id 4 at 0x6e', '20 bytes of payload', 'at 0x82']],
  legacy_garbage_payload: [['legacy store of id 1 at 0x0', '10 bytes is no JSON', 'VelesDB applies it all the same']],
  legacy_len_grow: [['legacy store of id 2 at 0x14', 'claims 9 bytes', 'at 0x28']],
  zero_hole: [['newer version of id 2, at 0x93'], ['66 zero bytes from 0x27 to 0x69'], ['5 bytes at 0x69']],
  all_zero_64: [['whole log, 64 bytes, is zeros']],
  tail_zeros_5: [['last 5 bytes, from 0x6e on', 'Nothing before them is touched']],
  tail_zeros_9: [['last 9 bytes, from 0x6e on']],
  tail_torn_then_zeros: [
    ['Last write was cut off', 'store of id 4 at 0x6e', 'written up to 0x82'],
    ['last 4096 bytes, from 0x82 on'],
  ],
  tail_zeros_in_record: [['Last write was cut off', 'written up to 0x6f'], ['last 40 bytes']],
  tail_garbage_6: [['6 bytes at 0x6e', 'the first is DE', 'Nothing before is touched']],
  text_editor_newline: [['1 byte at 0x6e', 'it is 0A']],
  text_editor_utf8: [['128 bytes at 0x0', 'the first is EF', 'Nothing in this log can be read']],
  snap_hides_marker_damage: [['36 bytes at 0x25', 'the first is 00']],
  snap_tail_torn: [['store of id 9 at 0x6e', 'cut after 24 of its 27 bytes']],
  json_zero_len: [['store of id 2 at 0x25 is intact', '0 bytes is no JSON text: EOF while parsing a value']],
  json_bad_utf8: [['invalid unicode code point'], ['invalid unicode code point'], ['invalid unicode code point']],
  json_lone_surrogate: [['JSON that VelesDB refuses'], ['lone leading surrogate'], ['lone leading surrogate']],
  json_bom: [['is no JSON text: expected value']],
  json_depth_128: [['recursion limit exceeded'], ['recursion limit exceeded']],
  json_out_of_range: [['number out of range'], ['number out of range']],
  json_control_char: [['control character'], ['control character']],
  torn_store_04: [['a store whose id was not whole yet', 'after 4 bytes']],
  torn_store_09: [['store of id 4', 'after 9 bytes']],
  torn_store_11: [['store of id 4', 'after 11 bytes']],
  torn_store_33: [['after 33 of its 37 bytes', 'Nothing before it is touched']],
  torn_store_36: [['after 36 of its 37 bytes']],
  torn_delete_05: [['a delete whose id was not whole yet', 'after 5 of its 13 bytes']],
  torn_delete_09: [['delete of id 2', 'id 2 keeps its version at 0x25']],
  torn_delete_12: [['after 12 of its 13 bytes']],
  torn_legacy_store_09: [['legacy store of id 4', 'after 9 bytes']],
  torn_legacy_store_11: [['legacy store of id 4', 'after 11 bytes']],
  torn_legacy_store_13: [['legacy store of id 4', 'after 13 of its 33 bytes']],
  torn_single_first: [['after 35 of its 37 bytes', 'No other record is in the log']],
};

/** The causes that the bytes of a golden log prove or nearly prove. Every other piece of damage gets no hint. */
const HINTS: Record<string, (string | null)[]> = {
  len_shrink: ['only the length was changed; with 19 in place of 15'],
  len_zero: ['only the length was changed; with 19 in place of 0'],
  len_huge: ['only the length was changed; with 19 in place of 4294967295'],
  len_past_eof: ['only the length was changed; with 19 in place of 57'],
  dropped_byte: ['one byte was lost from this record'],
  inserted_byte: ['one byte was added to this record'],
  marker_unknown_first: ['with C3 in place of 43'],
  marker_c3_to_01: ['whose marker was changed from C3 to 01'],
  marker_c3_to_02: ['with C3 in place of 02'],
  marker_c3_to_c4: ['with C3 in place of C4'],
  marker_c4_to_c3: ['with C4 in place of C3'],
  snap_hides_marker_damage: ['with C3 in place of 00'],
  text_editor_newline: ['a text editor opened the log and ended it with a newline'],
  text_editor_utf8: ['EF BF BD stands 9 times'],
  tail_torn_then_zeros: [null, 'made longer and before its data was on the disk'],
};

describe.skipIf(!goldenPresent)('golden damage', () => {
  const cases = goldenCases().map((golden) => ({ ...golden, damage: explained(golden.log, golden.snapshot) }));

  it('is told for every damaged case, and for no sound one', () => {
    const damaged = cases.filter(({ damage }) => damage.length > 0).map(({ name }) => name);
    expect(damaged.sort()).toEqual(Object.keys(TOLD).sort());
  });

  for (const { name, damage, answers } of cases.filter((golden) => golden.damage.length > 0)) {
    it(`${name}: says what was found, with numbers`, () => {
      expect(damage).toHaveLength(TOLD[name]!.length);
      damage.forEach(({ title, explanation }, index) => {
        for (const phrase of TOLD[name]![index]!) expect(`${title}. ${explanation}`).toContain(phrase);
        expect(explanation).toMatch(/\.$/);
        expect(explanation.split(/\.(?: |$)/).filter(Boolean).length).toBeLessThanOrEqual(2);
      });
    });

    it(`${name}: ${HINTS[name] ? 'names the cause as a guess' : 'guesses no cause'}`, () => {
      damage.forEach(({ hint }, index) => {
        const expected = HINTS[name]?.[index] ?? null;
        if (expected === null) expect(hint).toBeNull();
        else {
          expect(hint).toContain(expected);
          expect(hint).toContain('guess');
        }
      });
    });

    it(`${name}: says that it refuses exactly where that release refused, with its words`, () => {
      for (const generation of GENERATIONS) {
        const answer = answers[generation].replay;
        const refusals = damage.map((piece) => textOf(piece, generation)).filter((line) => line.startsWith('Refuses'));
        if (answer.ok) expect(refusals).toEqual([]);
        else {
          expect(refusals.length).toBeGreaterThan(0);
          for (const line of refusals) expect(line).toContain(`${answer.kind}, “${answer.message}”`);
        }
      }
    });

    it(`${name}: says so of reads that fail with that release's message`, () => {
      for (const generation of GENERATIONS) {
        for (const line of answers[generation].dump) {
          // A record cut by the end is told as what it is, and bytes that pass for a legacy record are named with their gap.
          if (!('error' in line) || /^(torn|seed|legacy_len)/.test(name)) continue;
          const told = damage.map((piece) => textOf(piece, generation)).join('\n');
          expect(told).toContain(`reading id ${line.id} fails: ${line.error.kind}, “${line.error.message}”`);
        }
      }
    });
  }
});

describe('what follows from damage', () => {
  const at = (log: LogBuilder, record: number, within: number) => {
    const bytes = log.bytes();
    bytes[log.offsets[record]! + within]! ^= 1;
    return bytes;
  };

  it('is that a bad overwrite leaves the older version in place', () => {
    const log = new LogBuilder().store(7, '"old"').store(7, '"new"').store(8);
    const [damage] = explained(at(log, 1, 15));
    expect(damage!.explanation).toContain('the older version of id 7 at 0x0 is the newest one intact');
    for (const generation of GENERATIONS) {
      expect(textOf(damage!, generation)).toBe('Skips it with a warning and serves id 7 as stored at 0x0 (stale).');
    }
  });

  it('is that a bad delete brings its id back', () => {
    const log = new LogBuilder().store(7).delete(7).store(8);
    const [damage] = explained(at(log, 1, 12));
    expect(damage!.explanation).toContain('Without it id 7 comes back as the version at 0x0');
    expect(textOf(damage!, 'v1.6')).toBe('Skips it with a warning: id 7 is back, as stored at 0x0 (resurrected).');
  });

  it('is nothing where a later record of the id decides', () => {
    const log = new LogBuilder().store(7).delete(7).store(7);
    const [damage] = explained(at(log, 1, 12));
    expect(damage!.explanation).toContain('A later record of id 7, at 0x26, is intact');
    const deleted = new LogBuilder().store(7).delete(7).store(8);
    expect(explained(at(deleted, 0, 15))[0]!.explanation).toContain('was deleted later, at 0x19');
  });

  it('is that a store after a delete leaves the id deleted', () => {
    const log = new LogBuilder().store(7).delete(7).store(7).store(8);
    expect(explained(at(log, 2, 15))[0]!.explanation).toContain('stays deleted, as it was before, at 0x19');
  });

  it('is how many records are lost behind a place where a generation stops', () => {
    const log = new LogBuilder().store(1).raw([0x99, 1, 2, 3, 4, 5, 6, 7, 8]).store(2).delete(1).store(3).store(4);
    const [damage] = explained(log.bytes());
    expect(textOf(damage!, 'v3.12')).toBe('Stops here without an error and loses the 4 records behind.');
    expect(textOf(damage!, 'v1.17')).toContain('Refuses to open');
  });

  it('is that later damage is not reached', () => {
    const log = new LogBuilder().store(1).raw([0x99, 1, 2, 3, 4, 5, 6, 7, 8]).store(2).store(3).store(4);
    const [, second] = explained(at(log, 3, 15));
    expect(textOf(second!, 'v1.6')).toBe('Does not get here: it refuses to open because of the damage at 0x19.');
    expect(textOf(second!, 'v3.12')).toBe('Does not get here: it stops at the damage at 0x19.');
  });

  it('is that records are swallowed by a length that leads on to a later one', () => {
    const log = new LogBuilder().store(1).store(2).store(3).store(4);
    const bytes = log.bytes();
    bytes[9] = log.offsets[3]! - 17;
    const [damage] = explained(bytes);
    for (const generation of GENERATIONS) {
      expect(textOf(damage!, generation)).toBe(
        'Passes over these bytes and goes on at 0x4b, losing 2 intact records between.',
      );
    }
  });

  it('is that damage between is passed over with them', () => {
    const log = new LogBuilder().store(1).store(2).store(3).store(4).store(5);
    const bytes = at(log, 2, 15);
    bytes[9] = log.offsets[4]! - 17;
    const second = explained(bytes).find(({ title }) => title.includes('id 3'));
    expect(second && textOf(second, 'v1.6')).toBe('Does not see this: a false length at 0x0 leads it past.');
  });

  it('is that damaged bytes are taken for a legacy record and applied', () => {
    // A CRC store whose marker became 01 and whose payload is no JSON: as a legacy store it ends at its own CRC.
    const log = new LogBuilder().raw([0x02, 5, 0, 0, 0, 0, 0, 0, 0, 0x55]).store(2);
    const [damage] = explained(log.bytes());
    expect(textOf(damage!, 'v3.12')).toBe('Stops at 0x9 without an error and loses the one record behind.');
    const straight = new LogBuilder().raw([0x99, 0, 0]).legacyDelete(5).store(2);
    expect(explained(straight.bytes())[0]!.explanation).toContain('12 bytes at 0x0 are no record');
  });

  it('is what a snapshot hides and serves unchecked', () => {
    const log = new LogBuilder().store(1).store(2).store(3);
    const entries: [number, number][] = [1, 2, 3].map((id) => [id, log.offsets[id - 1]! + 9]);
    const [listed] = explained(at(log, 1, 15), snapshotOf(log.length, entries));
    expect(textOf(listed!, 'v1.6')).toBe(
      'Opens from the snapshot, which lists id 2 here, and serves what these bytes hold unchecked.',
    );
    const [unlisted] = explained(at(log, 1, 15), snapshotOf(log.length, [entries[0]!]));
    expect(textOf(unlisted!, 'v1.6')).toContain('whose position lies behind this, and never looks here');
  });

  it('is told once for all pieces of one gap', () => {
    const log = new LogBuilder().store(1).raw([0x99]).raw(new Uint8Array(40)).raw([0x98]).store(2);
    const pieces = explained(log.bytes());
    expect(pieces).toHaveLength(3);
    for (const piece of pieces) {
      expect(textOf(piece, 'v1.6')).toContain('Refuses to open');
      expect(textOf(piece, 'v3.12')).toContain('loses the one record behind');
    }
  });

  it('names possible records inside', () => {
    const ghost = new LogBuilder().store(666).bytes();
    const log = new LogBuilder().store(5, Uint8Array.from([0x22, ...ghost, 0x22])).store(2);
    expect(explained(at(log, 0, 13))[0]!.explanation).toContain('1 whole record inside it is listed as possible');
  });
});

describe('likely causes', () => {
  const json = '{"text":"one\\n","more":\n[1,\n2]}';

  it('LF turned into CRLF: proven by the CRC', () => {
    const log = new LogBuilder().store(1, json).store(2).store(10);
    const bytes = [...log.bytes()].flatMap((byte) => (byte === 0x0a ? [0x0d, 0x0a] : [byte]));
    const damage = explained(Uint8Array.from(bytes));
    expect(damage[0]!.hint).toContain('LF to CRLF');
    // The id 10 is itself an LF.
    expect(damage.at(-1)!.hint).toContain('LF to CRLF');
  });

  it('Latin-1 saved as UTF-8: proven by the CRC', () => {
    const log = new LogBuilder().store(1).delete(2).store(3);
    const bytes = [...log.bytes()].flatMap((byte) =>
      byte < 0x80 ? [byte] : [0xc0 | (byte >> 6), 0x80 | (byte & 0x3f)],
    );
    expect(explained(Uint8Array.from(bytes))[0]!.hint).toContain('read as Latin-1 text and saved as UTF-8');
  });

  it('a newline at the end, LF or CRLF, and nothing more', () => {
    const log = () => new LogBuilder().store(1);
    expect(explained(log().raw([0x0a]).bytes())[0]!.hint).toContain('newline');
    expect(explained(log().raw([0x0d, 0x0a]).bytes())[0]!.hint).toContain('newline');
    expect(explained(log().raw([0x0a, 0x0a, 0x0a]).bytes())[0]!.hint).toBeNull();
  });

  it('two logs, the first of them cut', () => {
    const one = new LogBuilder()
      .store(1, '{"some":"thing"}')
      .store(2, '{"other":"thing"}')
      .store(3, '{"third":"thing"}');
    const whole = one.bytes();
    const both = new LogBuilder().raw(whole.subarray(0, whole.length - 6)).raw(whole);
    expect(explained(both.bytes())[0]!.hint).toContain('a second log was appended');
    const other = new LogBuilder().store(1, '{"some":"thing"}').store(9, '{"unlike":"thing"}').store(4, '{"x":"y"}');
    const unlike = new LogBuilder().raw(whole.subarray(0, whole.length - 6)).raw(other.bytes());
    expect(explained(unlike.bytes())[0]!.hint ?? '').not.toContain('second log');
  });

  it('a sector of zeros, in a payload and between records, only where it meets the edges of blocks', () => {
    const payload = text(JSON.stringify('x'.repeat(3000)));
    const zeroed = (from: number, to: number) => {
      const bytes = new LogBuilder().store(1, payload).store(2, payload).store(3, payload).bytes();
      bytes.fill(0, from, to);
      return explained(bytes)
        .map(({ hint }) => hint ?? '')
        .join(' ');
    };
    expect(zeroed(512, 1024)).toContain('exactly one block of 512 bytes from 0x200');
    expect(zeroed(4096, 5632)).toContain('exactly 3 blocks of 512 bytes from 0x1000');
    // Through the header of the second record, at 3019.
    expect(zeroed(2560, 3584)).toContain('exactly 2 blocks of 512 bytes from 0xa00');
    expect(zeroed(600, 1200)).toBe('');
    expect(zeroed(1024, 1400)).toBe('');
  });

  it('several bytes lost or added, not more than a few', () => {
    const changed = (change: (bytes: number[]) => void) => {
      const bytes = [
        ...new LogBuilder()
          .store(1)
          .store(2, JSON.stringify('y'.repeat(60)))
          .store(3)
          .bytes(),
      ];
      change(bytes);
      return explained(Uint8Array.from(bytes))[0]!.hint;
    };
    expect(changed((bytes) => bytes.splice(50, 3))).toContain('3 bytes were lost from this record');
    expect(changed((bytes) => bytes.splice(50, 0, 1, 2))).toContain('2 bytes were added to this record');
    expect(changed((bytes) => bytes.splice(50, 20))).toBeNull();
  });

  it('none where any would be a mere guess', () => {
    const log = new LogBuilder().store(1).raw([0x44, 0x45, 0x46]).store(2);
    expect(explained(log.bytes())[0]!.hint).toBeNull();
  });
});
