import { describe, expect, it } from 'vitest';
import { MemorySource } from './byte-source.ts';
import { goldenCases, goldenPresent } from './golden.fixture.ts';
import { packageCrc32 } from './log-builder.fixture.ts';
import { checkPayloads } from './payload-check.ts';
import type { RecordTable } from './record-table.ts';
import { scan } from './scan.ts';
import type { Verdict } from './segment.ts';
import { runToEnd } from './steps.ts';

/*
 * The segments of every golden log, derived by hand: from golden/INDEX.md (what was done to the log), the bytes, and
 * docs/contract.md ("Segments"). Nothing here was copied from a scan's output. Where the contract leaves a choice, the choice is
 * argued in docs/contract-notes.md and named here.
 */

interface Expected {
  offset: number;
  end: number;
  kind: 'store' | 'delete' | 'gap';
  format?: 'crc' | 'legacy';
  id?: bigint;
  claimedId?: bigint;
  verdict: Verdict;
  foundBySearch: boolean;
}

type Options = { legacy?: true; found?: true; verdict?: Verdict };

function store(offset: number, end: number, id: bigint | number, options: Options = {}): Expected {
  return {
    offset,
    end,
    kind: 'store',
    format: options.legacy ? 'legacy' : 'crc',
    id: BigInt(id),
    verdict: options.verdict ?? (options.legacy ? 'unprotected' : 'ok'),
    foundBySearch: options.found ?? false,
  };
}

function del(offset: number, end: number, id: bigint | number, options: Options = {}): Expected {
  return { ...store(offset, end, id, options), kind: 'delete' };
}

function gap(offset: number, end: number, claimedId?: number): Expected {
  const claim = claimedId === undefined ? {} : { claimedId: BigInt(claimedId) };
  return { offset, end, kind: 'gap', ...claim, verdict: 'unknown-bytes', foundBySearch: false };
}

function zeros(offset: number, end: number): Expected {
  return { offset, end, kind: 'gap', verdict: 'zero-filled', foundBySearch: false };
}

/** The last record, cut before its id was whole. */
function tornWithoutId(offset: number, end: number, kind: 'store' | 'delete'): Expected {
  return { offset, end, kind, format: 'crc', verdict: 'torn', foundBySearch: false };
}

const bad: Options = { verdict: 'crc-mismatch' };
const torn: Options = { verdict: 'torn' };
const found: Options = { found: true };
const notJson: Options = { verdict: 'payload-not-json' };
const unreadable: Options = { verdict: 'payload-unreadable' };

/** The three records most cases start from: alpha (0 to 37), beta (37 to 73), gamma (73 to 110). */
const alpha = store(0, 37, 1);
const beta = store(37, 73, 2);
const gamma = store(73, 110, 3);
const THREE = [alpha, beta, gamma];

const GOLDEN: Record<string, Expected[]> = {
  ok_single: [alpha],
  ok_overwrites: [alpha, beta, store(73, 97, 1), store(97, 121, 1), store(121, 143, 2)],
  ok_deletes: [...THREE, del(110, 123, 2)],
  ok_delete_then_store: [alpha, del(37, 50, 1), store(50, 81, 1)],
  ok_delete_unknown: [
    del(0, 13, 7),
    del(13, 26, 7),
    store(26, 63, 1),
    del(63, 76, 18446744073709551615n),
    del(76, 89, 0),
  ],
  // Fifty tombstones of 13 bytes, of the ids 0 to 49.
  ok_only_tombstones: Array.from({ length: 50 }, (_, id) => del(id * 13, id * 13 + 13, id)),
  ok_legacy_only: [
    store(0, 20, 1, { legacy: true }),
    store(20, 40, 2, { legacy: true }),
    del(40, 49, 1, { legacy: true }),
    store(49, 65, 3, { legacy: true }),
  ],
  ok_legacy_crc_mixed: [
    store(0, 20, 1, { legacy: true }),
    store(20, 40, 2, { legacy: true }),
    store(40, 64, 1),
    del(64, 77, 2),
    store(77, 91, 4, { legacy: true }),
    del(91, 100, 4, { legacy: true }),
    store(100, 118, 5),
    del(118, 127, 5, { legacy: true }),
    store(127, 145, 6),
  ],
  ok_id_extremes: [
    store(0, 26, 0),
    store(26, 71, 18446744073709551615n),
    store(71, 116, 18446744073709551614n),
    store(116, 157, 9007199254740991n),
    store(157, 198, 9007199254740992n),
    store(198, 239, 9007199254740993n),
    store(239, 283, 9223372036854775807n),
    store(283, 327, 9223372036854775808n),
    store(327, 371, 9223372036854775809n),
  ],
  ok_ids_collide_as_double: [
    store(0, 26, 9007199254740992n),
    store(26, 52, 9007199254740993n),
    del(52, 65, 9007199254740992n),
    store(65, 91, 18446744073709550591n),
    store(91, 117, 18446744073709551615n),
    del(117, 130, 18446744073709551615n),
  ],
  ok_numbers: [store(0, 369, 1)],
  ok_key_order_dups: [store(0, 71, 1)],
  ok_scalars: [
    store(0, 21, 1),
    store(21, 42, 2),
    store(42, 60, 3),
    store(60, 79, 4),
    store(79, 99, 5),
    store(99, 118, 6),
    store(118, 138, 7),
    store(138, 157, 8),
    store(157, 176, 9),
    store(176, 199, 10),
  ],
  ok_payload_100k: [alpha, store(37, 102072, 100), store(102072, 102108, 2)],
  // The flipped bit is the ghost's own marker (C2 at 51), so nothing inside the extent passes its CRC: no `possible` record.
  ok_record_inside_payload: [alpha, store(37, 87, 5, bad), store(87, 123, 2)],

  snap_at_end: [store(0, 24, 1), store(24, 48, 2), del(48, 61, 1)],
  snap_empty_storage: [],
  snap_then_tail: [...THREE, store(110, 136, 2), del(136, 149, 1), store(149, 176, 9)],
  snap_tmp_leftover: THREE,
  snap_bad_version: THREE,
  snap_bad_crc: THREE,
  snap_entry_flip: THREE,
  snap_zero_len: THREE,
  snap_count_low: THREE,
  snap_ahead_of_log: [alpha, beta],
  snap_ahead_log_empty: [],
  snap_ahead_log_missing: [],
  snap_mid_record: THREE,
  snap_pos_zero_empty: THREE,
  snap_pos_end_empty: THREE,
  snap_pos_beyond_empty: THREE,
  snap_stale_after_compaction: [store(0, 37, 3), store(37, 74, 1)],
  snap_offsets_swapped: THREE,
  snap_offset_garbage: THREE,
  snap_dup_ids: THREE,
  // The marker is no marker any more, so nothing can be said of an id.
  snap_hides_marker_damage: [alpha, gap(37, 73), store(73, 110, 3, found)],
  snap_tail_torn: [...THREE, store(110, 134, 9, torn)],
  snap_shifted_after_enospc: [...THREE, store(110, 136, 101), store(136, 162, 102)],
  snap_after_external_append: [store(0, 24, 1), store(24, 53, 50), store(53, 77, 2)],

  // A CRC that fails with the next record (or the end) where the length says: framing believed, id as claimed.
  flip_payload_mid: [alpha, store(37, 73, 2, bad), gamma],
  flip_payload_last: [alpha, beta, store(73, 110, 3, bad)],
  flip_stored_crc: [alpha, store(37, 73, 2, bad), gamma],
  flip_id: [alpha, store(37, 73, 66, bad), gamma],
  flip_first_record: [store(0, 37, 1, bad), beta, gamma],
  corrupt_delete_id: [...THREE, del(110, 123, 130, bad)],
  two_corruptions: [store(0, 37, 1, bad), beta, store(73, 110, 3, bad)],
  bad_then_good_same_id: [alpha, store(37, 73, 2, bad), store(73, 102, 2), store(102, 139, 3)],

  // A length that leads nowhere: a gap from the marker to the next record found, claiming the id.
  len_shrink: [alpha, gap(37, 73, 2), store(73, 110, 3, found)],
  len_zero: [alpha, gap(37, 73, 2), store(73, 110, 3, found)],
  len_huge: [alpha, gap(37, 73, 2), store(73, 110, 3, found)],
  len_past_eof: [alpha, gap(37, 73, 2), store(73, 110, 3, found)],
  dropped_byte: [alpha, gap(37, 72, 2), store(72, 109, 3, found)],
  inserted_byte: [alpha, gap(37, 74, 2), store(74, 111, 3, found)],
  marker_c3_to_c4: [alpha, gap(37, 73, 2), store(73, 110, 3, found)],
  // The delete's fixed end is the unknown marker at 123: no record starts there, so its framing is not believed either.
  two_kinds: [store(0, 37, 1, bad), beta, gamma, gap(110, 147, 2), store(147, 171, 5, found)],
  // Read as a store, the delete's CRC is a length far beyond the end; the records behind it are found inside.
  marker_c4_to_c3: [...THREE, gap(110, 123, 2), store(123, 160, 1, found)],
  // One byte too long and the last record: it cannot be told from a torn one.
  len_last_grow: [alpha, beta, store(73, 110, 3, torn)],
  marker_unknown_first: [gap(0, 37), store(37, 73, 2, found), gamma],
  // As a legacy store its payload is JSON, so it is believed (and every generation applies it); its CRC is left over.
  marker_c3_to_01: [alpha, store(37, 69, 2, { legacy: true }), gap(69, 73), store(73, 110, 3, found)],
  // As a legacy delete it would end at 46 (resp. 9), where no record starts: not believed.
  marker_c3_to_02: [alpha, gap(37, 73, 2), store(73, 110, 3, found)],
  marker_legacy_1_to_2: [gap(0, 20, 1), store(20, 40, 2, { legacy: true, found: true })],
  latest_wrote_after_unknown_marker: [
    ...THREE,
    gap(110, 119),
    store(119, 159, 77, found),
    store(159, 199, 78),
    del(199, 212, 1),
  ],
  // The torn legacy store claims 110 to 143 and is no JSON; the CRC record at 130, inside that, wins.
  seed_wrote_after_legacy_torn: [
    ...THREE,
    gap(110, 130, 4),
    store(130, 170, 77, found),
    store(170, 210, 78),
    del(210, 223, 1),
  ],
  concatenated: [...THREE, store(110, 147, 1), store(147, 183, 2), store(183, 220, 3)],

  // C3 02 are left of record 2, then 64 zeros up to the end of gamma's payload, then 7D and gamma's CRC.
  zero_hole: [alpha, gap(37, 39, 2), zeros(39, 105), gap(105, 110), store(110, 147, 1, found), store(147, 183, 2)],
  all_zero_64: [zeros(0, 64)],
  tail_zeros_5: [...THREE, zeros(110, 115)],
  tail_zeros_9: [...THREE, zeros(110, 119)],
  // Header and 7 bytes of payload were written (110 to 130); all behind them reads as zeros. The length is not believed: what
  // stands at its end is no record and not the end of the file.
  tail_torn_then_zeros: [...THREE, gap(110, 130, 4), zeros(130, 4226)],
  // Only the marker was written. Nine bytes are there, so an id is claimed: 0.
  tail_zeros_in_record: [...THREE, gap(110, 111, 0), zeros(111, 151)],
  tail_garbage_6: [...THREE, gap(110, 116)],
  text_editor_newline: [...THREE, gap(110, 111)],
  // Every marker and CRC was replaced; nothing is left to find.
  text_editor_utf8: [gap(0, 128)],

  json_zero_len: [alpha, store(37, 54, 2, notJson), store(54, 91, 3)],
  json_bad_utf8: [store(0, 20, 1, notJson), store(20, 42, 2, notJson), store(42, 62, 3, notJson)],
  json_lone_surrogate: [store(0, 25, 1, unreadable), store(25, 54, 2, unreadable), store(54, 85, 3, unreadable)],
  // RFC 8259: JSON text must not begin with a byte order mark.
  json_bom: [store(0, 22, 1, notJson)],
  json_depth_128: [alpha, store(37, 310, 2, unreadable), store(310, 1096, 3, unreadable), store(1096, 1368, 4)],
  json_out_of_range: [store(0, 22, 1, unreadable), store(22, 51, 2, unreadable), store(51, 73, 3)],
  json_control_char: [store(0, 22, 1, notJson), store(22, 44, 2, notJson)],
  // No JSON, but no CRC record inside either, and a record starts at its end.
  legacy_garbage_payload: [
    store(0, 23, 1, { legacy: true, verdict: 'payload-not-json' }),
    store(23, 44, 2, { legacy: true }),
  ],
  legacy_payload_flip: [store(0, 26, 1, { legacy: true })],
  // Two bytes too long: no JSON, no record at its end. The true next record (40) is found: JSON up to the end of the file.
  legacy_len_grow: [store(0, 20, 1, { legacy: true }), gap(20, 40, 2), store(40, 60, 3, { legacy: true, found: true })],

  torn_store_04: [...THREE, tornWithoutId(110, 114, 'store')],
  torn_store_09: [...THREE, store(110, 119, 4, torn)],
  torn_store_11: [...THREE, store(110, 121, 4, torn)],
  torn_store_33: [...THREE, store(110, 143, 4, torn)],
  torn_store_36: [...THREE, store(110, 146, 4, torn)],
  torn_delete_05: [...THREE, tornWithoutId(110, 115, 'delete')],
  torn_delete_09: [...THREE, del(110, 119, 2, torn)],
  torn_delete_12: [...THREE, del(110, 122, 2, torn)],
  torn_legacy_store_09: [...THREE, store(110, 119, 4, { legacy: true, verdict: 'torn' })],
  torn_legacy_store_11: [...THREE, store(110, 121, 4, { legacy: true, verdict: 'torn' })],
  torn_legacy_store_13: [...THREE, store(110, 123, 4, { legacy: true, verdict: 'torn' })],
  torn_single_first: [store(0, 35, 1, torn)],
};

/** 500 records written by a formula; the description gives only the kind of log, so the rule is: all are whole. */
const BY_RULE = ['ok_500_small'];

function scanned(log: Uint8Array): RecordTable {
  const source = new MemorySource(log);
  const table = runToEnd(scan({ source, crc32: packageCrc32 }));
  table.link();
  runToEnd(checkPayloads({ source, table }));
  return table;
}

describe.skipIf(!goldenPresent)('segments of the golden logs', () => {
  const cases = goldenCases();

  it('are derived by hand for every case', () => {
    expect(cases.map(({ name }) => name).sort()).toEqual([...Object.keys(GOLDEN), ...BY_RULE].sort());
  });

  it('tile the log in what was derived by hand', () => {
    for (const [name, expected] of Object.entries(GOLDEN)) {
      const size = cases.find((golden) => golden.name === name)!.log.length;
      let at = 0;
      for (const segment of expected) {
        expect(segment.offset, name).toBe(at);
        at = segment.end;
      }
      expect(at, name).toBe(size);
    }
  });

  for (const { name, log } of cases.filter((golden) => !BY_RULE.includes(golden.name))) {
    it(name, () => {
      const table = scanned(log);
      const segments = Array.from({ length: table.rows }, (_, row) => {
        const { length, ...rest } = table.segment(row);
        return { ...rest, end: rest.offset + length };
      });
      expect(segments).toEqual(GOLDEN[name]);
      expect([...table.possible]).toEqual([]);
    });
  }

  it('ok_500_small: 500 intact CRC records one behind the other, 136 ids live', () => {
    const { log } = cases.find((golden) => golden.name === 'ok_500_small')!;
    const table = scanned(log);
    expect(table.rows).toBe(500);
    expect(table.totals()).toMatchObject({ records: 500, gaps: 0, damaged: 0, live: 136, byVerdict: { ok: 500 } });
    let at = 0;
    for (let row = 0; row < table.rows; row++) {
      expect(table.offsets[row]).toBe(at);
      const length = log[at] === 0xc3 ? 17 + new DataView(log.buffer, log.byteOffset).getUint32(at + 9, true) : 13;
      expect(table.length(row)).toBe(length);
      at += length;
    }
    expect(at).toBe(log.length);
  });
});
