/**
 * Repair candidates for one damaged record: changes so small that damage of that size explains what is found, each checked
 * against the stored CRC where there is one. Nothing here is applied; the list is for a person, or for a plan, to choose from.
 */
import { crc32 } from '../crc32-algebra.ts';
import {
  CRC_DELETE_SIZE,
  CRC_SIZE,
  CRC_STORE_OVERHEAD,
  LEGACY_DELETE_SIZE,
  LENGTH_FIELD_OFFSET,
  Marker,
  STORE_HEADER_SIZE,
} from '../record.ts';
import { joinU64, readU32, writeU32 } from '../u64.ts';
import { describeProposal } from './describe-candidate.ts';
import type { AdjacentError } from './error-search.ts';
import {
  errorAtMarker,
  findAdjacentErrors,
  findDroppedBytes,
  findInsertedBytes,
  findLengths,
  syndromeOf,
} from './error-search.ts';
import type { CandidateKind, Change, Proposal } from './proposal.ts';
import { copyOf, isFramed, mayLeaveJson, payloadRange, repairedRecord, repairedU32, replacement } from './proposal.ts';

export type { CandidateKind, Change } from './proposal.ts';

export interface CandidateInput {
  /** The log from the damaged record's marker up to some limit: at least the damaged segment. Never written to. */
  bytes: Uint8Array;
  /** Bytes of the damaged segment: up to the next intact record or the end of the file. */
  segmentLength: number;
  /** The scan believes the record's framing: something intact, or the end of the file, is where it says it ends. */
  framingBelieved: boolean;
  /** Starts of intact records behind the marker, relative to it, ascending; those beyond `bytes` are ignored. */
  followingRecords?: readonly number[];
  /** Whether bytes[start, end) is JSON text that VelesDB reads (docs/format.md section 6). */
  isPayloadJson: (bytes: Uint8Array, start: number, end: number) => boolean;
  /** Whether an id, given as its low and high u32, is one the log could hold. Ranks, never excludes. */
  isPlausibleId: (idLow: number, idHigh: number) => boolean;
  /** Offset of the marker in the log, for descriptions. */
  recordOffset?: number;
  /** Longest list returned; 64 unless told. */
  maximumCandidates?: number;
  /** Bytes of payload checked as JSON in all before the rest is left unchecked; 32 MiB unless told. The best is always checked. */
  jsonCheckBudget?: number;
}

export interface Candidate {
  kind: CandidateKind;
  description: string;
  /** Relative to the record's start. */
  changes: Change[];
  /** Bytes of the repaired record. */
  length: number;
  record: Uint8Array;
  id: bigint;
  /** The CRC that is stored (after the change) agrees. False where it had to be rewritten or the format has none. */
  provenByCrc: boolean;
  /** The payload is JSON that VelesDB reads; true for a delete, which has none. False where it was not checked. */
  leavesJson: boolean;
  /** False when the budget was used up before this one; see `leavesJson`. */
  jsonChecked: boolean;
  plausibleId: boolean;
  /**
   * How many repairs of this kind are to be expected in a record of this size although none is true: far below 1, the
   * CRC proves it; around 1 and above, fitting says little. 1 where nothing is proven.
   */
  expectedByAccident: number;
  /** 1 is the best. */
  rank: number;
}

export interface Candidates {
  candidates: Candidate[];
  /** How many more fit than the list holds. */
  more: number;
}

const DEFAULT_MAXIMUM = 64;
const DEFAULT_JSON_BUDGET = 32 * 1024 * 1024;
/** Bytes of repaired records held in one list (but for the best, which is always in it). */
const RECORD_BUDGET = 64 * 1024 * 1024;
/** Fits kept before ranking; hostile bytes can make a great many. */
const COLLECT_LIMIT = 4096;
/** A dropped or inserted byte where the length field does not tell of it is looked for in segments up to this size. */
const UNANNOUNCED_SPLICE_LIMIT = 1024 * 1024;
const LEGACY_LENGTHS_TRIED = 4;
const CRC_VALUES = 2 ** 32;

/**
 * Every repair of the record at the start of `input.bytes` that one of these explains: a flipped bit, a wrong byte or two
 * adjacent wrong bytes in any field, any other value of the length field, a missing byte or one too many, a marker, a
 * stored CRC. Best first: VelesDB reads the payload, the id is plausible, the CRC proves it, it ends where intact bytes go
 * on, the smaller change. Takes about 30 ns a byte of `input.bytes`, plus the JSON checks. A record that is whole (its CRC
 * agrees) has no candidates.
 */
export function findCandidates(input: CandidateInput): Candidates {
  const boundaries = boundariesOf(input);
  const collector = new Collector(input.bytes);
  const whole = proposeProven(input, collector);
  if (whole) return { candidates: [], more: 0 };
  proposeUnproven(input, boundaries, collector);
  return rank(input, boundaries, collector);
}

/**
 * The one candidate that may be applied without a person choosing: it leaves a readable record and is the only one that the
 * CRC proves. Fits that a record of this size is expected to have by accident are neither proof nor a rival.
 */
export function soleProven(candidates: readonly Candidate[]): Candidate | null {
  const proven = candidates.filter(
    (candidate) =>
      candidate.provenByCrc && candidate.expectedByAccident < 0.1 && (candidate.leavesJson || !candidate.jsonChecked),
  );
  const [only] = proven;
  return proven.length === 1 && only!.leavesJson ? only! : null;
}

class Collector {
  readonly proposals: Proposal[] = [];
  left = 0;
  private readonly bytes: Uint8Array;
  private readonly seen = new Set<string>();

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** Takes a proposal unless its bytes would not frame it; a repeated one is dropped. */
  add(kind: CandidateKind, change: Change, length: number, expectedByAccident: number): void {
    if (isFramed(this.bytes, change, length))
      this.push({ kind, change, length, provenByCrc: true, expectedByAccident });
  }

  addUnproven(kind: CandidateKind, change: Change, length: number): void {
    this.push({ kind, change, length, provenByCrc: false, expectedByAccident: 1 });
  }

  private push(proposal: Proposal): void {
    const { offset, before, after } = proposal.change;
    const key = `${proposal.length}:${offset}:${before.length}:${after.join()}`;
    if (this.seen.has(key)) return;
    if (this.proposals.length >= COLLECT_LIMIT) {
      this.left++;
      return;
    }
    this.seen.add(key);
    this.proposals.push(proposal);
  }
}

/** Where a repaired record may well end, ascending. */
function boundariesOf(input: CandidateInput): Set<number> {
  return new Set([input.segmentLength, ...(input.followingRecords ?? [])].filter((end) => end <= input.bytes.length));
}

function isFollowed(input: CandidateInput, end: number): boolean {
  return end < input.bytes.length && (input.followingRecords ?? []).includes(end);
}

function claimedLength(bytes: Uint8Array): number | null {
  return bytes.length < STORE_HEADER_SIZE ? null : CRC_STORE_OVERHEAD + readU32(bytes, LENGTH_FIELD_OFFSET);
}

/** Collects what the CRC proves. Returns true when the record needs no repair. */
function proposeProven(input: CandidateInput, collector: Collector): boolean {
  const { bytes } = input;
  const marker = bytes[0];
  const claimed = claimedLength(bytes);
  const extents = [
    { length: CRC_DELETE_SIZE, marker: Marker.crcDelete as number },
    { length: claimed ?? Number.POSITIVE_INFINITY, marker: Marker.crcStore as number },
  ];
  for (const extent of extents) {
    if (extent.length > bytes.length) continue;
    const syndrome = syndromeOf(bytes, extent.length);
    if (marker !== extent.marker) {
      // Taken for a record of the other kind, the error has to be in the marker: no other position can make it one.
      const error = syndrome === 0 ? null : errorAtMarker(syndrome, extent.length);
      if (error !== null) proposeAdjacent(bytes, extent.length, error, 1, collector);
    } else if (syndrome === 0) {
      return true;
    } else {
      findAdjacentErrors(syndrome, extent.length, (error) => {
        proposeAdjacent(bytes, extent.length, error, extent.length, collector);
      });
    }
  }
  if (marker === Marker.crcStore) proposeLengths(bytes, collector);
  proposeSplices(input, claimed, collector);
  return false;
}

function proposeAdjacent(
  bytes: Uint8Array,
  length: number,
  found: AdjacentError,
  positions: number,
  collector: Collector,
): void {
  const { position, error, size } = found;
  const after = copyOf(bytes, position, position + size);
  after[0] = after[0]! ^ (error & 0xff);
  if (size === 2) after[1] = after[1]! ^ (error >>> 8);
  const change = { offset: position, before: copyOf(bytes, position, position + size), after };
  if (size === 2) {
    collector.add('two-bytes', change, length, (positions * 255 * 255) / CRC_VALUES);
    return;
  }
  const isBit = (error & (error - 1)) === 0;
  const kind = position === 0 ? 'marker' : isBit ? 'bit-flip' : 'byte';
  collector.add(kind, change, length, (positions * (isBit ? 8 : 255)) / CRC_VALUES);
}

function proposeLengths(bytes: Uint8Array, collector: Collector): void {
  findLengths(bytes, ({ payloadLength, neighbour }) => {
    const length = CRC_STORE_OVERHEAD + payloadLength;
    const start = neighbour === null ? LENGTH_FIELD_OFFSET : Math.min(neighbour.position, LENGTH_FIELD_OFFSET);
    const end = neighbour === null ? STORE_HEADER_SIZE : Math.max(neighbour.position + 1, STORE_HEADER_SIZE);
    const after = copyOf(bytes, start, end);
    writeU32(after, LENGTH_FIELD_OFFSET - start, payloadLength);
    if (neighbour !== null) after[neighbour.position - start] = after[neighbour.position - start]! ^ neighbour.error;
    const change = replacement(bytes, start, after);
    const expected = (neighbour === null ? bytes.length : 2 * 255 * 255) / CRC_VALUES;
    collector.add(neighbour === null ? 'length' : 'two-bytes', change, length, expected);
  });
}

/** A byte missing or too many: the known extent is one off from what the record, repaired, says of itself. */
function proposeSplices(input: CandidateInput, claimed: number | null, collector: Collector): void {
  const { bytes, segmentLength } = input;
  if (segmentLength > bytes.length || input.framingBelieved) return;
  const announced = claimed === segmentLength + 1 || claimed === segmentLength - 1;
  if (!announced && segmentLength > UNANNOUNCED_SPLICE_LIMIT) return;
  const none = new Uint8Array(0);
  if (!announced || claimed > segmentLength) {
    findDroppedBytes(bytes, segmentLength, ({ position, value }) => {
      // With nothing behind it, a record that lacks its last byte is torn: its writer died, nothing fell out of it.
      if (position === segmentLength && !isFollowed(input, segmentLength)) return;
      const change = { offset: position, before: none, after: Uint8Array.of(value) };
      collector.add('dropped-byte', change, segmentLength + 1, ((segmentLength + CRC_SIZE) * 256) / CRC_VALUES);
    });
  }
  if (!announced || claimed < segmentLength) {
    findInsertedBytes(bytes, segmentLength, (position) => {
      const change = { offset: position, before: copyOf(bytes, position, position + 1), after: none };
      collector.add('inserted-byte', change, segmentLength - 1, segmentLength / CRC_VALUES);
    });
  }
}

/** Collects what only its surroundings speak for: a rewritten CRC, and records of the format without CRC. */
function proposeUnproven(input: CandidateInput, boundaries: Set<number>, collector: Collector): void {
  const { bytes, isPayloadJson } = input;
  const marker = bytes[0];
  const claimed = claimedLength(bytes);
  const isJson = (end: number): boolean => end <= bytes.length && isPayloadJson(bytes, STORE_HEADER_SIZE, end);

  const whole = marker === Marker.crcDelete ? CRC_DELETE_SIZE : marker === Marker.crcStore ? claimed : null;
  if (whole !== null && boundaries.has(whole) && (marker === Marker.crcDelete || isJson(whole - CRC_SIZE))) {
    const crc = new Uint8Array(CRC_SIZE);
    writeU32(crc, 0, crc32(bytes, 0, whole - CRC_SIZE));
    collector.addUnproven('stored-crc', replacement(bytes, whole - CRC_SIZE, crc), whole);
  }

  // Nine bytes at the end of the file are a torn record far more likely than a whole delete: a record has to follow.
  if (marker !== Marker.legacyDelete && isFollowed(input, LEGACY_DELETE_SIZE)) {
    collector.addUnproven('marker', replacement(bytes, 0, Uint8Array.of(Marker.legacyDelete)), LEGACY_DELETE_SIZE);
  }
  if (claimed === null) return;
  const legacyLength = claimed - CRC_SIZE;
  if (marker !== Marker.legacyStore) {
    // A CRC store cut off exactly before its CRC looks like a legacy store that ends the log; a record has to follow that one.
    const fits = marker === Marker.crcStore ? isFollowed(input, legacyLength) : boundaries.has(legacyLength);
    if (fits && isJson(legacyLength)) {
      collector.addUnproven('marker', replacement(bytes, 0, Uint8Array.of(Marker.legacyStore)), legacyLength);
    }
    return;
  }
  for (const end of [...boundaries].slice(0, LEGACY_LENGTHS_TRIED)) {
    if (end <= STORE_HEADER_SIZE || end === legacyLength || !isJson(end)) continue;
    const field = new Uint8Array(4);
    writeU32(field, 0, end - STORE_HEADER_SIZE);
    collector.addUnproven('length', replacement(bytes, LENGTH_FIELD_OFFSET, field), end);
  }
}

interface Judged {
  proposal: Proposal;
  /** Where the damaged bytes that the record is made of end. */
  end: number;
  idLow: number;
  idHigh: number;
  plausibleId: boolean;
  endsAtBoundary: boolean;
  leavesJson: boolean;
  jsonChecked: boolean;
}

function rank(input: CandidateInput, boundaries: Set<number>, collector: Collector): Candidates {
  const judged = collector.proposals.map((proposal) => judge(input, boundaries, proposal));
  // First by what is known at once, so that the budget for full checks goes to the most likely ones.
  judged.sort(compare);
  checkJson(input, judged);
  judged.sort(compare);

  const candidates: Candidate[] = [];
  const maximum = input.maximumCandidates ?? DEFAULT_MAXIMUM;
  let held = 0;
  let taken = 0;
  for (const one of judged) {
    held += one.proposal.length;
    if (candidates.length >= maximum || (held > RECORD_BUDGET && candidates.length > 0)) break;
    taken++;
    const candidate = present(input, one, candidates.length + 1);
    if (!candidates.some((better) => givesSameRecord(better, candidate))) candidates.push(candidate);
  }
  return { candidates, more: judged.length - taken + collector.left };
}

/**
 * A byte lost at a record's end and a wrong byte there can give one record out of different bytes; the better one stays.
 * Between two repairs of one sort the changes tell, and equal ones were collected once.
 */
function givesSameRecord(a: Candidate, b: Candidate): boolean {
  if (a.length !== b.length || isSplice(a.changes[0]!) === isSplice(b.changes[0]!)) return false;
  for (let index = a.length - 1; index >= 0; index--) if (a.record[index] !== b.record[index]) return false;
  return true;
}

function isSplice(change: Change): boolean {
  return change.before.length !== change.after.length;
}

function judge(input: CandidateInput, boundaries: Set<number>, proposal: Proposal): Judged {
  const idLow = repairedU32(input.bytes, proposal.change, 1);
  const idHigh = repairedU32(input.bytes, proposal.change, 5);
  const mayBeJson = mayLeaveJson(input.bytes, proposal);
  const end = proposal.length + proposal.change.before.length - proposal.change.after.length;
  return {
    proposal,
    end,
    idLow,
    idHigh,
    plausibleId: input.isPlausibleId(idLow, idHigh),
    endsAtBoundary: boundaries.has(end),
    leavesJson: mayBeJson,
    jsonChecked: !mayBeJson,
  };
}

/** Replaces the quick look's guess by the full check, best first, as far as the budget goes. */
function checkJson(input: CandidateInput, judged: Judged[]): void {
  const budget = input.jsonCheckBudget ?? DEFAULT_JSON_BUDGET;
  /** Answers for payloads that the repair does not touch, by their end. */
  const untouched = new Map<number, boolean>();
  let spent = 0;
  for (const one of judged) {
    if (one.jsonChecked) continue;
    const { proposal } = one;
    const range = payloadRange(input.bytes, proposal);
    if (range === null) {
      one.jsonChecked = true;
      continue;
    }
    const { offset, before, after } = proposal.change;
    const isUntouched = before.length === after.length && (offset + after.length <= range.start || offset >= range.end);
    const known = isUntouched ? untouched.get(range.end) : undefined;
    if (known !== undefined) {
      one.leavesJson = known;
      one.jsonChecked = true;
      continue;
    }
    if (spent > 0 && spent + proposal.length > budget) {
      one.leavesJson = false;
      continue;
    }
    spent += proposal.length;
    const whole = isUntouched ? input.bytes : repairedRecord(input.bytes, proposal);
    one.leavesJson = input.isPayloadJson(whole, range.start, range.end);
    one.jsonChecked = true;
    if (isUntouched) untouched.set(range.end, one.leavesJson);
  }
}

function compare(a: Judged, b: Judged): number {
  return (
    Number(b.leavesJson) - Number(a.leavesJson) ||
    Number(b.plausibleId) - Number(a.plausibleId) ||
    Number(b.proposal.provenByCrc) - Number(a.proposal.provenByCrc) ||
    Number(b.endsAtBoundary) - Number(a.endsAtBoundary) ||
    a.proposal.expectedByAccident - b.proposal.expectedByAccident ||
    a.proposal.change.offset - b.proposal.change.offset
  );
}

function present(input: CandidateInput, judged: Judged, position: number): Candidate {
  const { proposal } = judged;
  const ending = isFollowed(input, judged.end) ? 'next-record' : judged.endsAtBoundary ? 'damage-end' : 'elsewhere';
  return {
    kind: proposal.kind,
    description: describeProposal(input.bytes, proposal, input.recordOffset, ending),
    changes: [proposal.change],
    length: proposal.length,
    record: repairedRecord(input.bytes, proposal),
    id: joinU64(judged.idLow, judged.idHigh),
    provenByCrc: proposal.provenByCrc,
    leavesJson: judged.leavesJson,
    jsonChecked: judged.jsonChecked,
    plausibleId: judged.plausibleId,
    expectedByAccident: proposal.expectedByAccident,
    rank: position,
  };
}
