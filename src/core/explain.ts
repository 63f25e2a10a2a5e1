import type { ByteSource } from './byte-source.ts';
import { crc32 } from './crc32-algebra.ts';
import { GENERATIONS, type Generation } from './generation.ts';
import { hintFor } from './hints.ts';
import { checkPayload } from './json/check.ts';
import {
  CRC_DELETE_SIZE,
  CRC_SIZE,
  CRC_STORE_OVERHEAD,
  type Crc32,
  describeMarker,
  LEGACY_DELETE_SIZE,
  LENGTH_FIELD_OFFSET,
  STORE_HEADER_SIZE,
} from './record.ts';
import type { RecordTable } from './record-table.ts';
import { type PathAt, ReplayPaths } from './replay-path.ts';
import { retrieve } from './retrieve.ts';
import type { Snapshot } from './snapshot.ts';
import { runToEnd, type Steps } from './steps.ts';
import { formatU64, readU32 } from './u64.ts';
import { crcOfFileRange } from './window.ts';

export interface ExplainContext {
  source: ByteSource;
  /** Scanned and linked. */
  table: RecordTable;
  /** One that passed its own checks; null where replay starts at byte 0. */
  snapshot: Snapshot | null;
}

export interface Explanation {
  /** A few words. */
  title: string;
  /** One plain sentence or two: what was expected, what was found, which ids it touches. */
  explanation: string;
  /** The likely cause where the bytes give it away, said to be a guess; null elsewhere. */
  hint: string | null;
  /** What each generation makes of this damage. */
  consequences: { generation: Generation; text: string }[];
}

/** Payloads longer than this are not read again only to name the byte that is wrong. */
const LONGEST_PARSED = 16 << 20;

const coreCrc32: Crc32 = (bytes, seed = 0) => crc32(bytes, 0, bytes.length, seed);

/** The ways through a log, kept while the table and the snapshot stay what they were. */
const known = new WeakMap<RecordTable, { rows: number; end: number; snapshot: Snapshot | null; paths: ReplayPaths }>();

function knownPaths({ table, snapshot }: ExplainContext): ReplayPaths | null {
  const before = known.get(table);
  const holds = before?.rows === table.rows && before.end === table.end && before.snapshot === snapshot;
  return holds ? before.paths : null;
}

/**
 * What all explanations of a log have in common, in steps, and once as long as the table and the snapshot stay what they are: each is a
 * look-up then. Without it the first one does all of it.
 */
export function* prepareExplaining(context: ExplainContext): Steps<void> {
  if (knownPaths(context)) return;
  const { source, table, snapshot } = context;
  const { rows, end } = table;
  const paths = yield* ReplayPaths.of(source, table, snapshot);
  known.set(table, { rows, end, snapshot, paths });
}

function pathsOf(context: ExplainContext): ReplayPaths {
  const paths = knownPaths(context);
  if (paths) return paths;
  runToEnd(prepareExplaining(context));
  return knownPaths(context)!;
}

/**
 * Says of one damaged row what is wrong with it and what follows. Calm where nothing that was ever whole is lost (a torn tail), plain
 * where it is. Ids are named as the bytes give them; where the id itself may be damaged that is said.
 */
export function explainDamage(context: ExplainContext, row: number): Explanation {
  const { title, explanation } = wordsFor(context, row);
  const paths = pathsOf(context);
  return {
    title,
    explanation,
    hint: hintFor(context.source, context.table, row),
    consequences: GENERATIONS.map((generation) => ({
      generation,
      text: consequence(context, paths, generation, row),
    })),
  };
}

interface Words {
  title: string;
  explanation: string;
}

function wordsFor(context: ExplainContext, row: number): Words {
  const { table } = context;
  switch (table.verdict(row)) {
    case 'crc-mismatch':
      return describeCrcMismatch(context, row);
    case 'payload-not-json':
    case 'payload-unreadable':
      return describePayload(context, row);
    case 'torn':
      return describeTorn(context, row);
    case 'zero-filled':
      return describeZeros(context, row);
    case 'unknown-bytes':
      return describeGap(context, row);
    default:
      return { title: 'No damage', explanation: `The ${recordName(table, row)} is not damaged.` };
  }
}

function describeCrcMismatch({ source, table }: ExplainContext, row: number): Words {
  const offset = table.offsets[row]!;
  const length = table.length(row);
  const computed = crcOfFileRange(source, offset, offset + length - CRC_SIZE, coreCrc32);
  const stored = readU32(source.read(offset + length - CRC_SIZE, CRC_SIZE), 0);
  const follows = row + 1 < table.rows ? 'the next record starts' : 'the log ends';
  const possible = table.possible.get(row)?.length ?? 0;
  const inside =
    possible === 0
      ? ''
      : ` ${counted(possible, 'whole record')} inside it ${possible === 1 ? 'is' : 'are'} listed as possible.`;
  return {
    title: `${capital(table.kind(row))} of ${idOf(table, row)} fails its CRC`,
    explanation: `The ${recordName(table, row)} (${counted(length, 'byte')}) fails its CRC: ${crcText(stored)} is stored, its bytes give ${crcText(computed)}; ${follows} where it says it ends, so only bytes inside it are damaged. ${fateOf(table, row)}${inside}`,
  };
}

function describePayload({ source, table }: ExplainContext, row: number): Words {
  const overhead = table.isLegacy(row) ? STORE_HEADER_SIZE : CRC_STORE_OVERHEAD;
  const length = table.length(row) - overhead;
  const notJson = table.verdict(row) === 'payload-not-json';
  let reason = '';
  if (length <= LONGEST_PARSED) {
    const check = checkPayload(source.read(table.offsets[row]! + STORE_HEADER_SIZE, length));
    if (check.state !== 'ok') reason = `: ${check.message}`;
  }
  const sound = table.isLegacy(row) ? 'follows the records before it' : 'is intact';
  const what = notJson ? 'is no JSON text' : 'is JSON that VelesDB refuses to read';
  const id = idOf(table, row);
  const effect =
    table.state(row) === 'superseded'
      ? `A newer record of ${id} follows, so nobody reads it.`
      : `Every read of ${id} fails.`;
  const believed =
    notJson && table.isLegacy(row)
      ? ` ${capital(id)} was read from a record without a CRC, so its length may be what is wrong; VelesDB applies it all the same.`
      : ` ${effect}`;
  return {
    title: `Payload of ${id} ${notJson ? 'is no JSON' : 'cannot be read'}`,
    explanation: `The ${recordName(table, row)} ${sound}, but its payload of ${counted(length, 'byte')} ${what}${reason}.${believed}`,
  };
}

function describeTorn({ source, table }: ExplainContext, row: number): Words {
  const offset = table.offsets[row]!;
  const length = table.length(row);
  const kind = table.kind(row);
  const bytes = source.read(offset, Math.min(length, STORE_HEADER_SIZE));
  const legacy = table.isLegacy(row);
  let whole: number | null = null;
  if (kind === 'delete') whole = legacy ? LEGACY_DELETE_SIZE : CRC_DELETE_SIZE;
  else if (length >= STORE_HEADER_SIZE) {
    whole = readU32(bytes, LENGTH_FIELD_OFFSET) + (legacy ? STORE_HEADER_SIZE : CRC_STORE_OVERHEAD);
  }
  const form = legacy ? `legacy ${kind}` : kind;
  const who = table.hasId(row) ? `a ${form} of ${idOf(table, row)}` : `a ${form} whose id was not whole yet`;
  const cut =
    whole === null
      ? `after ${counted(length, 'byte')}, before its length was whole`
      : `after ${length} of its ${counted(whole, 'byte')}`;
  return cutOff(table, row, `${who} at ${hex(offset)}, was cut ${cut}`);
}

/** The calm words for a write that never became whole. */
function cutOff(table: RecordTable, row: number, what: string): Words {
  const older = table.hasId(row) ? versionsAround(table, row).older : undefined;
  const keeps =
    older !== undefined && table.kind(older) === 'store'
      ? `, and ${idOf(table, row)} keeps its version at ${hex(table.offsets[older]!)}`
      : '';
  const before = row === 0 ? 'No other record is in the log' : `Nothing before it is touched${keeps}`;
  return {
    title: 'Last write was cut off',
    explanation: `The last record, ${what}: the writer was stopped in the middle of an append. ${before}; it has to be trimmed before anything is written behind it.`,
  };
}

function describeZeros({ source, table }: ExplainContext, row: number): Words {
  const offset = table.offsets[row]!;
  const length = table.length(row);
  const zeros = counted(length, 'zero byte');
  if (offset + length === source.size) {
    if (row === 0) {
      return {
        title: 'Nothing but zeros',
        explanation: `The whole log, ${counted(length, 'byte')}, is zeros: no record is in it.`,
      };
    }
    const verb = length === 1 ? 'is' : 'are';
    return {
      title: `${zeros} at the end`,
      explanation: `The last ${counted(length, 'byte')}, from ${hex(offset)} on, ${verb} zero where a record was expected. Nothing before them is touched by that; they have to be trimmed before anything is written behind them.`,
    };
  }
  return {
    title: `${zeros} in the middle`,
    explanation: `${zeros} from ${hex(offset)} to ${hex(offset + length)} stand in the middle of the log, where records were: what they held is gone${row > 0 && table.kind(row - 1) === 'gap' ? ', and the record before them is cut' : ''}. Which ids that concerns cannot be told from zeros.`,
  };
}

function describeGap(context: ExplainContext, row: number): Words {
  const { source, table } = context;
  const offset = table.offsets[row]!;
  const length = table.length(row);
  const next = nextRecord(table, row);
  const loss =
    next < 0
      ? 'no record is found behind'
      : `the next record is found ${counted(table.offsets[next]! - offset, 'byte')} on, at ${hex(table.offsets[next]!)}`;
  const bytes = source.read(offset, Math.min(length, STORE_HEADER_SIZE)).slice();
  const marker = describeMarker(bytes[0]!);
  const continued = row > 0 && table.kind(row - 1) === 'gap';
  if (!marker || continued || !table.hasId(row)) {
    const first = continued
      ? 'they go on from the damage before them'
      : `${length === 1 ? 'it' : 'the first'} is ${hexByte(bytes[0]!)} where a marker (C3, C4, 01 or 02) was expected`;
    return {
      title: counted(length, 'unknown byte'),
      explanation: `${capital(counted(length, 'byte'))} at ${hex(offset)} ${length === 1 ? 'is' : 'are'} no record: ${first}; ${loss}. ${next < 0 ? (row > 0 ? 'Nothing before is touched by that.' : 'Nothing in this log can be read.') : 'Which id stood here cannot be told.'}`,
    };
  }

  const id = idOf(table, row);
  const form = marker.format === 'legacy' ? `legacy ${marker.kind}` : marker.kind;
  if (row + 2 === table.rows && table.verdict(row + 1) === 'zero-filled') {
    return cutOff(
      table,
      row,
      `a ${form} of ${id} at ${hex(offset)}, was written up to ${hex(offset + length)} and is zeros from there on`,
    );
  }
  let doubt: string;
  if (marker.kind === 'store') {
    const payload = readU32(source.read(offset + LENGTH_FIELD_OFFSET, 4), 0);
    const end = offset + payload + (marker.format === 'legacy' ? STORE_HEADER_SIZE : CRC_STORE_OVERHEAD);
    doubt =
      source.size < offset + STORE_HEADER_SIZE
        ? 'is cut in its length'
        : end > source.size
          ? `claims ${counted(payload, 'byte')} of payload, which would end ${counted(end - source.size, 'byte')} behind the end of the log`
          : `claims ${counted(payload, 'byte')} of payload, ${marker.format === 'legacy' ? 'which are no JSON text, and' : 'but its CRC fails and'} no record starts at ${hex(end)} where it would end`;
  } else {
    const end = offset + (marker.format === 'legacy' ? LEGACY_DELETE_SIZE : CRC_DELETE_SIZE);
    doubt = `${marker.format === 'legacy' ? 'is nine bytes without a CRC' : 'fails its CRC'}, and no record starts at ${hex(end)} where it would end`;
  }
  return {
    title: `Framing of ${id} is lost`,
    explanation: `What reads as a ${form} of ${id} at ${hex(offset)} ${doubt}; ${loss}. ${fateOf(table, row, marker.kind)}`,
  };
}

/** What becomes of the id of a damaged record, in one sentence. */
function fateOf(table: RecordTable, row: number, kind = table.kind(row)): string {
  const id = idOf(table, row);
  const { older, newer, alone } = versionsAround(table, row);
  if (newer !== undefined) {
    const where = hex(table.offsets[newer]!);
    if (kind === 'delete') return `A later record of ${id}, at ${where}, is intact, so nothing hangs on this delete.`;
    return table.kind(newer) === 'store'
      ? `A newer version of ${id}, at ${where}, is intact, so only this one is missing.`
      : `${capital(id)} was deleted later, at ${where}, so only this version is missing.`;
  }
  if (kind === 'delete') {
    return older !== undefined && table.kind(older) === 'store'
      ? `Without it ${id} comes back as the version at ${hex(table.offsets[older]!)} that it deleted.`
      : `No store of ${id} stands before it: either it deleted nothing, or its id is what was damaged and another id comes back.`;
  }
  if (older !== undefined) {
    return table.kind(older) === 'store'
      ? `Without it the older version of ${id} at ${hex(table.offsets[older]!)} is the newest one intact.`
      : `Without it ${id} stays deleted, as it was before, at ${hex(table.offsets[older]!)}.`;
  }
  return alone
    ? `No other record of ${id} is in the log: it is lost, unless its id is what was damaged.`
    : `No intact record of ${id} is left in the log.`;
}

/** The nearest intact records of a row's id before and behind it, and whether the log has no other record of it at all. */
function versionsAround(table: RecordTable, row: number): { older?: number; newer?: number; alone: boolean } {
  const { applied, count } = appliedRows(table, table.idLow[row]!, table.idHigh[row]!);
  // First of the applied rows, which are in file order, that does not stand before this one.
  let from = 0;
  let to = applied.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (applied[middle]! < row) from = middle + 1;
    else to = middle;
  }
  const older = applied[from - 1];
  const newer = applied[from] === row ? applied[from + 1] : applied[from];
  return { ...(older === undefined ? {} : { older }), ...(newer === undefined ? {} : { newer }), alone: count <= 1 };
}

interface IdRows {
  /** Rows that salvage applies, in file order. */
  applied: readonly number[];
  /** All rows of the id. */
  count: number;
}

/** Damage can hold thousands of records that claim one id: its chain is walked once, not once for each. */
const chains = new WeakMap<RecordTable, { rows: number; byId: Map<string, IdRows> }>();
const KEPT_CHAINS = 64;

function appliedRows(table: RecordTable, low: number, high: number): IdRows {
  let kept = chains.get(table);
  if (kept?.rows !== table.linkedRows) {
    kept = { rows: table.linkedRows, byId: new Map() };
    chains.set(table, kept);
  }
  const key = `${high}:${low}`;
  const known = kept.byId.get(key);
  if (known) return known;
  const rows = table.history(low, high);
  const found = { applied: rows.filter((row) => table.isApplied(row)), count: rows.length };
  if (kept.byId.size >= KEPT_CHAINS) kept.byId.delete(kept.byId.keys().next().value!);
  kept.byId.set(key, found);
  return found;
}

/** The first row behind that is no gap, or -1. */
function nextRecord(table: RecordTable, row: number): number {
  let next = row + 1;
  while (next < table.rows && table.kind(next) === 'gap') next++;
  return next < table.rows ? next : -1;
}

function consequence(context: ExplainContext, paths: ReplayPaths, generation: Generation, row: number): string {
  const { table } = context;
  const path = paths.at(generation, row);
  switch (path.kind) {
    case 'not-reached':
      return path.how === 'refuses'
        ? `Does not get here: it refuses to open because of the damage at ${hex(path.by)}.`
        : `Does not get here: it stops at the damage at ${hex(path.by)}.`;
    case 'passed-over':
      return `Does not see this: a false length at ${hex(path.by)} leads it past.`;
    case 'before-snapshot':
      return behindSnapshot(context, paths, generation, row);
    case 'refuses': {
      const where = path.at === table.offsets[row] ? '' : ` at ${hex(path.at)}`;
      return `Refuses to open the collection${where}: ${path.error.kind}, “${path.error.message}”.`;
    }
    case 'stops': {
      const hidden = paths.recordsBehind(row);
      const where = path.at === table.offsets[row] ? 'here' : `at ${hex(path.at)}`;
      const kept = row === 0 ? 'opens empty' : 'keeps what comes before';
      return hidden === 0
        ? `Stops ${where} and ${kept}; what it writes next goes behind this and is lost at the following start.`
        : `Stops ${where} without an error and loses ${hidden === 1 ? 'the one record' : `the ${hidden} records`} behind.`;
    }
    case 'goes-on':
      return goesOn(context, path, row);
    case 'follows':
      return table.verdict(row) === 'crc-mismatch' ? skips(table, row) : reads(context, generation, row);
  }
}

function skips(table: RecordTable, row: number): string {
  const id = idOf(table, row);
  const { older, newer } = versionsAround(table, row);
  if (newer !== undefined) return `Skips it with a warning; a later record of ${id} decides.`;
  const olderIsStore = older !== undefined && table.kind(older) === 'store';
  if (table.kind(row) === 'delete') {
    return olderIsStore
      ? `Skips it with a warning: ${id} is back, as stored at ${hex(table.offsets[older]!)} (resurrected).`
      : `Skips it with a warning; ${id} is not there either way, but if its id is what was damaged, the id it deleted is back.`;
  }
  return olderIsStore
    ? `Skips it with a warning and serves ${id} as stored at ${hex(table.offsets[older]!)} (stale).`
    : `Skips it with a warning; ${id} is not there.`;
}

function reads({ source, table }: ExplainContext, generation: Generation, row: number): string {
  const id = idOf(table, row);
  const { newer } = versionsAround(table, row);
  if (newer !== undefined) return `Opens; a later record of ${id} decides.`;
  if (table.length(row) > LONGEST_PARSED) return `Opens; reading ${id} fails.`;
  const read = retrieve(source, table.offsets[row]! + LENGTH_FIELD_OFFSET, generation);
  return read.ok
    ? `Opens and reads ${id} all the same.`
    : `Opens; reading ${id} fails: ${read.error.kind}, “${read.error.message}”.`;
}

function goesOn({ source, table }: ExplainContext, path: PathAt & { kind: 'goes-on' }, row: number): string {
  const applied = path.applied.map(({ kind, id }) => `a legacy ${kind} of id ${id}`).join(', ');
  if (path.at > source.size && path.applied.length > 0) {
    return `Opens and takes this for ${applied}, whose payload is not all there: reading it fails with UnexpectedEof.`;
  }
  const taken = path.applied.length === 0 ? 'Passes over these bytes' : `Takes these bytes for ${applied}`;
  let lost = 0;
  for (let at = row + 1; at < path.row && lost <= 1000; at++) if (table.isApplied(at)) lost++;
  const swallowed =
    lost === 0
      ? ''
      : `, losing ${lost > 1000 ? 'more than 1000' : lost} intact ${lost === 1 ? 'record' : 'records'} between`;
  return path.at === source.size
    ? `${taken} to the end of the log${swallowed}.`
    : `${taken} and goes on at ${hex(path.at)}${swallowed}.`;
}

function behindSnapshot(context: ExplainContext, paths: ReplayPaths, generation: Generation, row: number): string {
  const { table } = context;
  const ids = paths.pointersInto(row);
  if (ids.length === 0) return 'Opens from the snapshot, whose position lies behind this, and never looks here.';
  const named = ids
    .slice(0, 3)
    .map((id) => `id ${id}`)
    .join(', ');
  const who = ids.length > 3 ? `${named} and more` : named;
  const verdict = table.verdict(row);
  if (verdict === 'payload-not-json' || verdict === 'payload-unreadable') return reads(context, generation, row);
  return `Opens from the snapshot, which lists ${who} here, and serves what these bytes hold unchecked.`;
}

function recordName(table: RecordTable, row: number): string {
  const legacy = table.isLegacy(row) ? 'legacy ' : '';
  return `${legacy}${table.kind(row)} of ${idOf(table, row)} at ${hex(table.offsets[row]!)}`;
}

function idOf(table: RecordTable, row: number): string {
  return `id ${formatU64(table.idLow[row]!, table.idHigh[row]!)}`;
}

function hex(offset: number): string {
  return `0x${offset.toString(16)}`;
}

function hexByte(byte: number): string {
  return byte.toString(16).toUpperCase().padStart(2, '0');
}

function crcText(crc: number): string {
  return crc.toString(16).toUpperCase().padStart(8, '0');
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
