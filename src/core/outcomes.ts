import type { ByteSource } from './byte-source.ts';
import { GENERATIONS, type Generation, POLICIES, type VelesError, type View } from './generation.ts';
import { IdIndex } from './id-index.ts';
import type { JsonReader } from './json/number.ts';
import { type Crc32, LENGTH_FIELD_OFFSET } from './record.ts';
import { decodeInfo, type RecordTable, StateCode } from './record-table.ts';
import { replay } from './replay.ts';
import { isReadable } from './retrieve.ts';
import { isDamage } from './segment.ts';
import type { Snapshot } from './snapshot.ts';
import type { Steps } from './steps.ts';
import { U64List } from './u64-list.ts';

/** How one generation's answer differs from everything intact (docs/contract.md, "Views"). */
export interface OutcomeLists {
  /** In the view, but reading it fails. Null when payloads were not looked at. */
  unreadable: U64List | null;
  /** In salvage, absent here. */
  lost: U64List;
  /** An older version here. */
  stale: U64List;
  /** Here although deleted later. */
  resurrected: U64List;
  /** Served as good although the bytes are damaged or another record's. */
  wrong: U64List;
}

/** A generation's view as its difference from salvage: nothing is stored for the ids on which both agree. */
export interface ViewDifference {
  /** id → offset of the length field this generation serves, where salvage serves another or none. */
  served: IdIndex;
  /** Ids that salvage holds and this generation does not. */
  absent: IdIndex;
}

export type ViewOutcome =
  | {
      opens: true;
      live: number;
      lists: OutcomeLists;
      /** Null for salvage itself and for a generation that agrees with it. */
      difference: ViewDifference | null;
      /** Where replay ended; a generation that ends elsewhere than at the log's end loses what is written next. */
      endedAt: number;
    }
  | { opens: false; error: VelesError; endedAt: number };

export interface OutcomeOptions {
  source: ByteSource;
  crc32: Crc32;
  /** Scanned and linked; with payloads checked when `payloads` is true. */
  table: RecordTable;
  /** A snapshot that passed every check of its own; null to open without. */
  snapshot: Snapshot | null;
  /** The snapshot was compared with the log and agrees. */
  snapshotAgrees: boolean;
  /** Whether payload verdicts are in the table: else nothing is said about readability. */
  payloads: boolean;
}

/** For every info byte, whether such a row keeps a log from being sound. */
const UNSOUND = Uint8Array.from({ length: 256 }, (_, info) => {
  const { kind, legacy, verdict } = decodeInfo(info);
  if (kind === 'gap' || verdict === 'torn') return 1;
  // Believed by nobody but applied by every generation.
  return legacy && verdict === 'payload-not-json' ? 1 : 0;
});

/** Whether every generation follows this log from byte 0 to its end and builds the same index as salvage. */
export function isSound({ info, rows }: RecordTable): boolean {
  for (let row = 0; row < rows; row++) if (UNSOUND[info[row]!] !== 0) return false;
  return true;
}

/** Rows passed over between two yields. */
const STRIDE = 1 << 18;
/** The same where each is looked up in an index: a few milliseconds. */
const LOOKED_UP = 1 << 14;
const DAMAGED = Uint8Array.from({ length: 256 }, (_, info) => (isDamage(decodeInfo(info).verdict) ? 1 : 0));

/**
 * The salvage view's own outcome: nothing lost by definition. It is also every generation's on a sound log, but for the payloads
 * about which the two JSON readers disagree.
 */
export function* salvageOutcome(
  table: RecordTable,
  payloads: boolean,
  reader: JsonReader = 'approximate',
): Steps<ViewOutcome> {
  const { states, info, linkedRows } = table;
  const disagree = reader === 'exact' && table.readersDisagree.size > 0;
  const lists = emptyLists(payloads);
  let live = 0;
  for (let row = 0; row < linkedRows; row++) {
    if (row % STRIDE === 0) yield { done: row, total: linkedRows };
    if (states[row] !== StateCode.live) continue;
    live++;
    if (lists.unreadable && (disagree || DAMAGED[info[row]!] !== 0) && table.isUnreadable(row, reader))
      lists.unreadable.push(table.idLow[row]!, table.idHigh[row]!);
  }
  if (lists.unreadable) yield* lists.unreadable.sorting();
  return { opens: true, live, lists, difference: null, endedAt: table.end };
}

/**
 * What one generation makes of the log, compared with salvage. A sound log whose snapshot agrees needs no replay at all: all
 * generations follow the same records to the same end.
 */
export function* outcomeOf(options: OutcomeOptions & { generation: Generation }): Steps<ViewOutcome> {
  const { source, crc32, table, snapshot, generation, payloads } = options;
  const reader = POLICIES[generation].jsonReader;
  if ((snapshot === null || options.snapshotAgrees) && isSound(table))
    return yield* salvageOutcome(table, payloads, reader);

  const opened = yield* replay({
    source,
    crc32,
    generation,
    snapshot,
    known: { crcHoldsAt: (offset) => crcKnown(table, offset) },
  });
  if (!opened.ok) {
    return { opens: false, error: { kind: opened.kind, message: opened.message }, endedAt: opened.endedAt };
  }

  const { index } = opened;
  const lists = emptyLists(payloads);
  const difference: ViewDifference = { served: new IdIndex(), absent: new IdIndex() };
  const entries = index.size;
  let compared = 0;

  // A block at a time: of a snapshot that points elsewhere for millions of ids, all of them would be millions of objects.
  const elsewhere: { low: number; high: number; slot: number }[] = [];
  const compare = (low: number, high: number, offset: number, slot: number): void => {
    const live = table.liveRow(low, high);
    compared++;
    if (live >= 0 && table.offsets[live]! + LENGTH_FIELD_OFFSET === offset) {
      if (lists.unreadable && table.isUnreadable(live, reader)) lists.unreadable.push(low, high);
    } else {
      elsewhere.push({ low, high, slot });
    }
  };
  for (let slot = 0; slot < index.slots; slot += LOOKED_UP) {
    index.forEach(compare, slot, slot + LOOKED_UP);
    yield { done: compared, total: entries };
    yield* difference.served.makeRoom(difference.served.size + elsewhere.length);
    for (const { low, high, slot: at } of elsewhere.splice(0)) {
      const offset = index.offset64At(at);
      difference.served.set64(low, high, offset);
      if (payloads && !(yield* isReadable(source, offset, generation))) {
        lists.unreadable!.push(low, high);
        continue;
      }
      const row = table.rowStartingAt(index.offsetAt(at) - LENGTH_FIELD_OFFSET);
      const ownRecord =
        row >= 0 &&
        table.kind(row) === 'store' &&
        table.isApplied(row) &&
        table.idLow[row] === low &&
        table.idHigh[row] === high;
      if (!ownRecord) lists.wrong.push(low, high);
      else if (table.liveRow(low, high) >= 0) lists.stale.push(low, high);
      else lists.resurrected.push(low, high);
      yield { done: compared, total: entries };
    }
  }

  for (let row = 0; row < table.linkedRows; row++) {
    if (row % LOOKED_UP === 0) {
      yield { done: row, total: table.linkedRows };
      yield* difference.absent.makeRoom(difference.absent.size + LOOKED_UP);
    }
    if (table.states[row] !== StateCode.live) continue;
    const low = table.idLow[row]!;
    const high = table.idHigh[row]!;
    if (index.find(low, high) < 0) {
      lists.lost.push(low, high);
      difference.absent.set(low, high, 0);
    }
  }
  for (const list of Object.values(lists)) {
    if (list) yield* (list as U64List).sorting();
    yield { done: table.linkedRows, total: table.linkedRows };
  }
  return { opens: true, live: index.size, lists, difference, endedAt: opened.endedAt };
}

/**
 * What every view makes of a log. Generations that replay alike share one outcome where their JSON readers cannot differ: on a
 * sound log that is all of them, on a damaged one it saves a pass.
 */
export function* outcomesOf(options: OutcomeOptions): Steps<Record<View, ViewOutcome>> {
  const { table, snapshot, snapshotAgrees, payloads } = options;
  const outcomes: Partial<Record<View, ViewOutcome>> = {
    salvage: yield* salvageOutcome(table, payloads),
  };
  const sound = (snapshot === null || snapshotAgrees) && isSound(table);
  for (const generation of GENERATIONS) {
    const alike = sound ? 'salvage' : GENERATIONS.find((other) => outcomes[other] && replaysAlike(other, generation));
    const shared = alike && outcomes[alike]!;
    outcomes[generation] = shared && isReadAlike(table, shared) ? shared : yield* outcomeOf({ ...options, generation });
  }
  return outcomes as Record<View, ViewOutcome>;
}

function replaysAlike(one: Generation, other: Generation): boolean {
  const a = POLICIES[one];
  const b = POLICIES[other];
  return (
    a.shortRead === b.shortRead &&
    a.pastEnd === b.pastEnd &&
    a.unknownMarker === b.unknownMarker &&
    a.indexesLegacyPastEnd === b.indexesLegacyPastEnd &&
    a.boundsLengthOnRead === b.boundsLengthOnRead
  );
}

/** Whether both JSON readers fail on the same ids. What is served from elsewhere than a row of the table is not known to be. */
function isReadAlike(table: RecordTable, outcome: ViewOutcome): boolean {
  if (!outcome.opens) return true;
  return table.readersDisagree.size === 0 && (outcome.difference === null || outcome.difference.served.size === 0);
}

function emptyLists(payloads: boolean): OutcomeLists {
  return {
    unreadable: payloads ? new U64List() : null,
    lost: new U64List(),
    stale: new U64List(),
    resurrected: new U64List(),
    wrong: new U64List(),
  };
}

/** What the scan found out about the CRC of a record that starts at `offset`; null where it followed other framing. */
function crcKnown(table: RecordTable, offset: number): boolean | null {
  const row = table.rowStartingAt(offset);
  if (row < 0 || table.kind(row) === 'gap') return null;
  switch (table.verdict(row)) {
    case 'ok':
      return true;
    case 'payload-not-json':
    case 'payload-unreadable':
      return table.isLegacy(row) ? null : true;
    case 'crc-mismatch':
      return false;
    default:
      return null;
  }
}

/** Where a view finds an id: the offset of the length field, or null. The snapshot may have claimed any u64. */
export function offsetInView(
  table: RecordTable,
  difference: ViewDifference | null,
  low: number,
  high: number,
): bigint | null {
  if (difference) {
    const slot = difference.served.find(low, high);
    if (slot >= 0) return difference.served.offset64At(slot);
    if (difference.absent.find(low, high) >= 0) return null;
  }
  const row = table.liveRow(low, high);
  return row >= 0 ? BigInt(table.offsets[row]! + LENGTH_FIELD_OFFSET) : null;
}

/** Names the outcomes that count ids, in the order they are shown. */
export const OUTCOME_NAMES = ['unreadable', 'lost', 'stale', 'resurrected', 'wrong'] as const;

/** The views of a log that outcomes are computed for, `salvage` last. */
export type Outcomes = Partial<Record<View, ViewOutcome>>;
