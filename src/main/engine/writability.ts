import type { ByteSource } from '../../core/byte-source.ts';
import { GENERATIONS, type Generation, POLICIES, type VelesError } from '../../core/generation.ts';
import { IdIndex } from '../../core/id-index.ts';
import type { Crc32 } from '../../core/record.ts';
import { type ReplayOptions, type ReplayResult, replay } from '../../core/replay.ts';
import type { Snapshot } from '../../core/snapshot.ts';
import type { Steps } from '../../core/steps.ts';
import { formatU64, joinU64 } from '../../core/u64.ts';
import { type Plain, VelescopeError } from '../../shared/errors.ts';

/**
 * Why nothing may be written to a log (docs/design.md, rule 2): behind a tear or an unknown byte newer VelesDB loses what is
 * written, and a snapshot there makes the loss permanent. A CRC mismatch with sound framing is no obstacle.
 */
export type WritingObstacle =
  /** A generation does not open the log. */
  | { kind: 'refuses'; generation: Generation; from: ReplayStart; error: VelesError; at: number }
  /** A generation opens the log and ignores everything from `at` on. */
  | { kind: 'stops-early'; generation: Generation; from: ReplayStart; at: number }
  /** A record's claimed length reaches behind the log's end. */
  | { kind: 'runs-past-end'; generation: Generation; from: ReplayStart; at: number }
  /** The snapshot stands for more log than there is: what is written below its position is ignored. */
  | { kind: 'snapshot-ahead'; position: bigint }
  /** Replaying the log up to the snapshot's position gives another index. */
  | { kind: 'snapshot-disagrees'; position: bigint; example: string }
  /** The snapshot's file could not be read here, so nobody knows what VelesDB would make of it. */
  | { kind: 'snapshot-unreadable'; error: VelesError };

export type ReplayStart = 'start' | 'snapshot';

export type Writability =
  /** `index` is what every generation builds of the log: id → offset of the length field. */
  { writable: true; index: IdIndex } | { writable: false; obstacles: WritingObstacle[] };

export interface WritabilityInput {
  source: ByteSource;
  crc32: Crc32;
  /** The snapshot where it passes every check; null where there is none, or one that every generation ignores. */
  snapshot: Snapshot | null;
}

/** Entries compared between two yields. */
const ENTRIES_AT_ONCE = 1 << 14;

/**
 * Decides whether a log may be written to, by replaying it as every generation would, from byte 0 and from the snapshot.
 * Pure; yields the progress of its passes. On a sound log it is one pass.
 */
export function* decideWritability(input: WritabilityInput): Steps<Writability> {
  const { source, snapshot } = input;
  const obstacles: WritingObstacle[] = [];
  if (snapshot === null) {
    const index = yield* replayAll(input, obstacles);
    return index === null ? { writable: false, obstacles } : { writable: true, index };
  }
  if (snapshot.walPosition > BigInt(source.size)) {
    obstacles.push({ kind: 'snapshot-ahead', position: snapshot.walPosition });
    yield* replayAll({ ...input, snapshot: null }, obstacles);
    return { writable: false, obstacles };
  }
  const position = Number(snapshot.walPosition);
  const nothing = { index: new IdIndex(snapshot.count), position: 0 };
  const before = yield* replayStrictest({ source: new Beginning(source, position), crc32: input.crc32 }, nothing);
  let difference: string | null = 'its position is not where a record starts that replay from the beginning reaches';
  if (before.ok && before.endedAt === position) {
    // Entries that list an id twice may still come to the same index.
    const agrees = yield* holdsExactly(snapshot, before.index);
    difference = agrees ? null : yield* firstDifference(before.index, yield* snapshot.indexing());
  }
  if (before.ok && difference === null) {
    // A replay from byte 0 is the one up to the snapshot, which ended on its position with its index, and the one from there on.
    const whole = yield* replayStrictest(input, { index: before.index, position });
    if (whole.ok && whole.endedAt === source.size) return { writable: true, index: whole.index };
  } else {
    obstacles.push({ kind: 'snapshot-disagrees', position: snapshot.walPosition, example: difference! });
    yield* replayAll({ ...input, snapshot: null }, obstacles);
  }
  yield* replayAll(input, obstacles);
  return { writable: false, obstacles };
}

/** The error for a refusal, naming the first obstacle and offering the repair; the rest is in `data`. */
export function writingRefusal(obstacles: readonly WritingObstacle[]): VelescopeError {
  const first = obstacles[0]!;
  const aboutSnapshot = first.kind.startsWith('snapshot');
  return new VelescopeError(aboutSnapshot ? 'SNAPSHOT_DISAGREES' : 'LOG_DAMAGED', describeObstacle(first), {
    next:
      aboutSnapshot && obstacles.every((obstacle) => obstacle.kind.startsWith('snapshot'))
        ? 'Repair the collection: removing payloads.snapshot makes VelesDB read the whole log again, which loses nothing here.'
        : 'Repair the collection first: what is written behind the damage would be lost at the next start of a newer VelesDB.',
    data: { obstacles: obstacles.map((obstacle) => ({ ...plain(obstacle), message: describeObstacle(obstacle) })) },
  });
}

/** An obstacle as it travels: what a snapshot claims is u64, and a bigint is no JSON. */
function plain(obstacle: WritingObstacle): { [name: string]: Plain } {
  if ('position' in obstacle) return { ...obstacle, position: String(obstacle.position) };
  return 'error' in obstacle ? { ...obstacle, error: { ...obstacle.error } } : { ...obstacle };
}

/** One sentence: what stands in the way, and where. */
export function describeObstacle(obstacle: WritingObstacle): string {
  switch (obstacle.kind) {
    case 'refuses':
      return `VelesDB ${POLICIES[obstacle.generation].releases} does not open this log${fromWhere(obstacle.from)}: ${obstacle.error.message}, at offset ${obstacle.at}.`;
    case 'stops-early':
      return `VelesDB ${POLICIES[obstacle.generation].releases} ignores this log from offset ${obstacle.at} on${fromWhere(obstacle.from)}.`;
    case 'runs-past-end':
      return `A record of this log claims bytes up to ${obstacle.at}, behind its end${fromWhere(obstacle.from)}.`;
    case 'snapshot-ahead':
      return `payloads.snapshot stands for the log up to ${obstacle.position}, which is behind its end: what is written before that is ignored.`;
    case 'snapshot-disagrees':
      return `payloads.snapshot (position ${obstacle.position}) disagrees with the log: ${obstacle.example}.`;
    case 'snapshot-unreadable':
      return `payloads.snapshot cannot be read: ${obstacle.error.message}.`;
  }
}

function fromWhere(from: ReplayStart): string {
  return from === 'snapshot' ? ', going on from payloads.snapshot' : '';
}

/** Replays as every generation; the index they agree on, or null with what is wrong added to `obstacles`. */
function* replayAll(input: WritabilityInput, obstacles: WritingObstacle[]): Steps<IdIndex | null> {
  const { source, crc32, snapshot } = input;
  const from: ReplayStart = snapshot === null ? 'start' : 'snapshot';
  const strictest =
    snapshot === null
      ? yield* replayStrictest(input, { index: new IdIndex(), position: 0 })
      : yield* replay({ source, crc32, snapshot, generation: GENERATIONS[0] });
  // What the strictest generation walks from end to end has whole records with known markers only, and then every
  // generation takes the same steps. A property test holds that.
  if (strictest.ok && strictest.endedAt === source.size) return strictest.index;
  for (const generation of GENERATIONS) {
    const result = generation === GENERATIONS[0] ? strictest : yield* replay({ source, crc32, snapshot, generation });
    if (!result.ok) {
      const error: VelesError = { kind: result.kind, message: result.message };
      obstacles.push({ kind: 'refuses', generation, from, error, at: result.endedAt });
    } else if (result.endedAt !== source.size) {
      const kind = result.endedAt < source.size ? 'stops-early' : 'runs-past-end';
      obstacles.push({ kind, generation, from, at: result.endedAt });
    }
  }
  return null;
}

/** Goes on from where a replay stands, on its index, as the generation that refuses most. */
function* replayStrictest(
  { source, crc32 }: { source: ByteSource; crc32: Crc32 },
  from: NonNullable<ReplayOptions['from']>,
): Steps<ReplayResult> {
  return yield* replay({ source, crc32, snapshot: null, generation: GENERATIONS[0], from });
}

/** Whether a snapshot's entries are those of the index, each once. */
function* holdsExactly(snapshot: Snapshot, index: IdIndex): Steps<boolean> {
  if (snapshot.count !== index.size) return false;
  const listed = new Uint8Array((index.slots >>> 3) + 1);
  for (let entry = 0; entry < snapshot.count; entry++) {
    if (entry % ENTRIES_AT_ONCE === 0 && entry > 0) yield { done: entry, total: snapshot.count };
    const slot = index.find(snapshot.idLow(entry), snapshot.idHigh(entry));
    if (slot < 0 || (listed[slot >>> 3]! & (1 << (slot & 7))) !== 0) return false;
    listed[slot >>> 3]! |= 1 << (slot & 7);
    if (index.offsetAt(slot) !== snapshot.offsetHigh(entry) * 0x1_0000_0000 + snapshot.offsetLow(entry)) return false;
  }
  return true;
}

/** A sentence about the first id that two indexes hold differently, or null. `log` is of the log, `claimed` of the snapshot. */
function* firstDifference(log: IdIndex, claimed: IdIndex): Steps<string | null> {
  let found: string | null = null;
  const ofLog = (low: number, high: number, offset: number): void => {
    if (found !== null) return;
    const slot = claimed.find(low, high);
    if (slot < 0) found = `id ${formatU64(low, high)}, whose record is at ${offset - 9}, is missing in it`;
    else if (claimed.offset64At(slot) !== BigInt(offset)) {
      found = `id ${formatU64(low, high)} is at ${offset - 9} in the log and at ${claimed.offset64At(slot) - 9n} in it`;
    }
  };
  const ofClaimed = (low: number, high: number): void => {
    if (found === null && log.find(low, high) < 0) found = `id ${joinU64(low, high)} is in it and not in the log`;
  };
  for (const [index, visit] of [[log, ofLog] as const, [claimed, ofClaimed] as const]) {
    for (let slot = 0; found === null && slot < index.slots; slot += ENTRIES_AT_ONCE) {
      index.forEach(visit, slot, slot + ENTRIES_AT_ONCE);
      yield { done: slot, total: index.slots };
    }
  }
  return found;
}

/** The first bytes of a source, as if the log ended there. */
class Beginning implements ByteSource {
  readonly #source: ByteSource;
  readonly size: number;

  constructor(source: ByteSource, size: number) {
    this.#source = source;
    this.size = size;
  }

  read(offset: number, length: number): Uint8Array {
    return this.#source.read(offset, Math.max(0, Math.min(length, this.size - offset)));
  }
}
