import { dirname, join, resolve } from 'node:path';
import type { ByteSource } from '../../core/byte-source.ts';
import { planTrim, type RecoveryPlan } from '../../core/recovery/plan.ts';
import type { Steps } from '../../core/steps.ts';
import { VelescopeError } from '../../shared/errors.ts';
import { crc32 } from './crc32.ts';
import { FileSource, refuseShortReads } from './file-source.ts';
import { type Files, type OpenFile, statusOrNull } from './files.ts';
import { LOG_FILE } from './lock.ts';
import type { Holder } from './lock-holder.ts';
import { freshName, type InPlace, lockCollection, replaceLog } from './recovery-in-place.ts';
import { hashOf, type LeftOutPieces, type PassResult, passOver } from './recovery-pass.ts';
import { EVIDENCE_DIRECTORY, EVIDENCE_FILE } from './recovery-report.ts';
import { FULL_TEXT_FILES, quoted, stepsToPutInPlace, surroundingsOf } from './recovery-steps.ts';
import {
  makeDurableDirectories,
  missingDirectories,
  removeQuietly,
  requireFreshTarget,
  requireSpace,
} from './recovery-target.ts';
import { notVerified } from './recovery-verify.ts';
import {
  INCOMPLETE_MARKER,
  type RecoveryInput,
  requireMet,
  requireUnchanged,
  sourceChanged,
  writeResult,
} from './recovery-write.ts';
import { loadSnapshot, SNAPSHOT_FILE, writeSnapshot } from './snapshot-file.ts';
import { decideWritability, describeObstacle } from './writability.ts';

export { hashOf, type LeftOutPieces } from './recovery-pass.ts';
export { FULL_TEXT_FILES } from './recovery-steps.ts';
export { INCOMPLETE_MARKER, type RecoveryInput } from './recovery-write.ts';

/** What a recovery wrote, or, as a dry run, would write. */
export interface RecoveryResult {
  /** Where the result is. */
  target: string;
  plan: RecoveryPlan;
  /** Every left-out piece with its hash. */
  leftOut: LeftOutPieces;
  /** The directory of the left-out bytes. */
  evidence: string;
  inputSha256: string;
  outputSha256: string;
  /** Read back, scanned, opened as every generation, and as planned. False for a dry run, which wrote nothing. */
  verified: boolean;
  /** What a person does next, a sentence or a command a step. */
  steps: string[];
}

export interface InPlaceResult extends RecoveryResult {
  /** Directory in the collection that holds the old log, the old snapshot, the evidence and the reports. */
  keptIn: string;
  /** The old log's second name. */
  keptAs: string;
}

export interface InPlaceOptions {
  findHolder: (path: string) => Holder | null;
}

/**
 * What `recoverTo` would write: one pass over the input for the hashes. Changes nothing. POLICY_NOT_MET, SOURCE_CHANGED,
 * TARGET_IS_SOURCE, TARGET_NOT_EMPTY, NOT_A_DIRECTORY as there.
 */
export function* dryRun(input: RecoveryInput, target: string, sources: readonly string[] = []): Steps<RecoveryResult> {
  requireMet(input);
  requireFreshTarget(input.files, [input.directory, ...sources], target);
  requireUnchanged(input);
  const pass = yield* passOver(sourceOf(input.log, input.plan.inputBytes), input.plan, null);
  requireUnchanged(input);
  requireSameHash(input, pass);
  const steps = [`Write the result to ${quoted(resolve(target))}: run this again without the dry run.`];
  return resultOf(input, target, pass, false, steps.concat(stepsAfter(input, target)));
}

/**
 * Writes the result of a plan into a new directory, and proves it: log, fresh snapshot, evidence, reports, read back, scanned and
 * opened as every generation would, before it returns. The source is only read. Errors: POLICY_NOT_MET; TARGET_IS_SOURCE,
 * TARGET_NOT_EMPTY, NOT_A_DIRECTORY, TARGET_READ_ONLY, PERMISSION_DENIED; DISK_FULL before anything is written where the disk
 * tells; SOURCE_CHANGED; PLAN_NOT_VERIFIED; failures of the system. After any of them, and where the caller ends the generator
 * early (`return`), what was made is removed, or the directory holds `recovery.incomplete`.
 *
 * @param sources further directories that nothing may be written in: the database whose collections are recovered
 */
export function* recoverTo(
  input: RecoveryInput,
  target: string,
  sources: readonly string[] = [],
): Steps<RecoveryResult> {
  requireMet(input);
  requireFreshTarget(input.files, [input.directory, ...sources], target);
  const steps = stepsAfter(input, target);
  const { pass } = yield* writeResult(input, resolve(target), { target: resolve(target), inPlace: false, steps });
  return resultOf(input, target, pass, true, steps);
}

/**
 * Recovers a collection where it stands, under its locks and only on request, in the order of docs/design.md, rule 5. What was
 * there (the log under a second name, the snapshot) is kept in a directory beside it, with the evidence and the reports. Safe to
 * interrupt between any two steps: `payloads.log` is at every instant the old or the new one. Errors as `recoverTo`, and
 * LOCK_HELD, LOCK_UNAVAILABLE. After an error the old log stands, unless the error came from making the new name durable.
 */
export function* recoverInPlace(input: RecoveryInput, options: InPlaceOptions): Steps<InPlaceResult> {
  requireMet(input);
  const { files, directory } = input;
  const locked = lockCollection(files, directory, options.findHolder);
  try {
    if (input.log === null) throw noLog(directory);
    requireUnchanged(input);
    const work = freshName(files, directory, 'velescope-recovery', (input.clock ?? (() => new Date()))());
    const steps = stepsAfterInPlace(files, directory, work);
    const { pass, discard } = yield* writeResult(input, work, { target: directory, inPlace: true, steps });
    try {
      requireUnchanged(input);
    } catch (thrown) {
      discard();
      throw thrown;
    }
    const { keptAs } = replaceLog(files, directory, work, discard);
    const evidence = join(work, EVIDENCE_DIRECTORY);
    return { ...resultOf(input, directory, pass, true, steps), evidence, keptIn: work, keptAs };
  } finally {
    locked.release();
  }
}

/** Cuts a torn or zero-filled tail the way `recoverInPlace` goes; the cut bytes are kept in `keptAs`. */
export interface TrimResult extends InPlaceResult {
  trimmedBytes: number;
  /** The file that holds the trimmed bytes. */
  trimmedAs: string;
}

/**
 * Cuts a torn or zero-filled tail so that writing is safe again, the way `recoverInPlace` goes. Everything before the tail stays
 * byte for byte. NOT_ALLOWED where there is no such tail; LOG_DAMAGED where writing would not be safe even then, because of other
 * damage: nothing is changed.
 */
export function* trimTail(
  input: Omit<RecoveryInput, 'plan'> & { source: ByteSource },
  options: InPlaceOptions,
): Steps<TrimResult> {
  const trim = planTrim(input.source, input.table);
  if (trim === null) {
    throw new VelescopeError(
      'NOT_ALLOWED',
      'The log does not end in a torn record or in zeros; there is no tail to cut',
      {
        next: 'Look at the damage: a recovery may help.',
      },
    );
  }
  const { plan, tail } = trim;
  const before: ByteSource = {
    size: tail.offset,
    read: (offset, length) => input.source.read(offset, Math.max(0, Math.min(length, tail.offset - offset))),
  };
  const decided = yield* decideWritability({ source: before, crc32, snapshot: null });
  if (!decided.writable) {
    throw new VelescopeError(
      'LOG_DAMAGED',
      `Cutting the tail would not make writing safe: ${describeObstacle(decided.obstacles[0]!)}`,
      { next: 'Recover the collection: salvage keeps every intact record.' },
    );
  }
  const result = yield* recoverInPlace({ ...input, plan }, options);
  return { ...result, trimmedBytes: plan.leftOut.bytes, trimmedAs: join(result.evidence, EVIDENCE_FILE) };
}

/**
 * Puts a result that `recoverTo` wrote in place: the steps it names, in one call, under the locks. The result stays where it is;
 * its log and snapshot are copied. SOURCE_CHANGED where the collection's log is not the one that was recovered; PLAN_NOT_VERIFIED
 * where the result is not what was written; NO_SUCH_PLAN where it did not finish; otherwise as `recoverInPlace`.
 */
export function* putInPlace(
  input: { files: Files; directory: string; clock?: () => Date } & Pick<
    RecoveryResult,
    'target' | 'inputSha256' | 'outputSha256'
  >,
  options: InPlaceOptions,
): Steps<InPlace> {
  const { files, directory, target } = input;
  const locked = lockCollection(files, directory, options.findHolder);
  const made: { path: string; kind: 'file' | 'directory' }[] = [];
  let replacing = false;
  const discard = () => {
    for (const { path, kind } of made.splice(0).reverse()) removeQuietly(files, path, kind);
  };
  try {
    if (locked.log === null) throw noLog(directory);
    if (statusOrNull(files, join(target, INCOMPLETE_MARKER)) !== null) {
      throw new VelescopeError('NO_SUCH_PLAN', `${target} holds a recovery that did not finish`, {
        next: 'Run the recovery again, into another directory.',
      });
    }
    const before = locked.log.status();
    if ((yield* hashOf(new FileSource(locked.log, before.size))) !== input.inputSha256) {
      throw sourceChanged(`${join(directory, LOG_FILE)} is not the log that was recovered`);
    }
    requireSpace(files, directory, files.status(join(target, LOG_FILE)).size);
    const work = freshName(files, directory, 'velescope-recovery', (input.clock ?? (() => new Date()))());
    const missing = missingDirectories(files, work);
    made.push(...missing.map((path) => ({ path, kind: 'directory' as const })));
    makeDurableDirectories(files, missing);
    yield* copyResult(input, work, (path) => made.push({ path, kind: 'file' }));
    const there = files.status(join(directory, LOG_FILE));
    if (there.inode !== before.inode || there.device !== before.device || locked.log.size() !== before.size) {
      throw sourceChanged(`${join(directory, LOG_FILE)} was written to meanwhile`);
    }
    // From here on only `replaceLog` knows whether what was made is still nothing but a copy.
    replacing = true;
    return replaceLog(files, directory, work, discard);
  } finally {
    if (!replacing) discard();
    locked.release();
  }
}

/** Copies log and snapshot of a result into `work`, synced, and proves the copies. */
function* copyResult(
  { files, target, outputSha256 }: { files: Files } & Pick<RecoveryResult, 'target' | 'outputSha256'>,
  work: string,
  note: (path: string) => void,
): Steps<void> {
  const copy = join(work, LOG_FILE);
  note(copy);
  files.copy(join(target, LOG_FILE), copy);
  const file = files.open(copy, 'append');
  try {
    file.sync();
    if ((yield* hashOf(new FileSource(file))) !== outputSha256) throw notVerified(`${copy} reads otherwise`);
    const snapshot = loadSnapshot(files, target);
    if (snapshot.state === 'valid' && snapshot.snapshot.walPosition === BigInt(file.size())) {
      note(join(work, SNAPSHOT_FILE));
      writeSnapshot(files, work, files.readWhole(join(target, SNAPSHOT_FILE), 0xffff_ffff));
    }
  } finally {
    file.close();
  }
  files.syncDirectory(work);
}

/**
 * Moves `bm25.snapshot` and `bm25.wal` aside together, under the lock, so that VelesDB builds its full-text index anew of the
 * payloads at the next start. Returns the new names; empty where neither is there. The snapshot goes first: without it nothing
 * stale is trusted, so a stop in between leaves nothing worse than before.
 */
export function moveFullTextAside(
  input: { files: Files; directory: string; clock?: () => Date },
  options: InPlaceOptions,
): { moved: string[] } {
  return { moved: moveAside(input, FULL_TEXT_FILES, options) };
}

/**
 * Moves `payloads.snapshot` aside, under the locks; it may be evidence, so it is never deleted. VelesDB then reads the whole log.
 * NOT_FOUND where there is none.
 */
export function removeSnapshot(
  input: { files: Files; directory: string; clock?: () => Date },
  options: InPlaceOptions,
): { keptAs: string } {
  const [keptAs] = moveAside(input, [SNAPSHOT_FILE], options);
  if (keptAs !== undefined) return { keptAs };
  throw new VelescopeError('NOT_FOUND', `${join(input.directory, SNAPSHOT_FILE)} is not there`, {
    next: 'There is nothing to remove: VelesDB reads the whole log.',
  });
}

function moveAside(
  { files, directory, clock }: { files: Files; directory: string; clock?: () => Date },
  names: readonly string[],
  options: InPlaceOptions,
): string[] {
  const locked = lockCollection(files, directory, options.findHolder);
  try {
    const moved: string[] = [];
    for (const name of names) {
      const path = join(directory, name);
      if (statusOrNull(files, path) === null) continue;
      const kept = freshName(files, directory, `${name}.removed`, (clock ?? (() => new Date()))());
      files.rename(path, kept);
      moved.push(kept);
    }
    if (moved.length > 0) files.syncDirectory(directory);
    return moved;
  } finally {
    locked.release();
  }
}

function sourceOf(log: OpenFile | null, size: number): ByteSource {
  return log === null ? { size: 0, read: () => new Uint8Array(0) } : refuseShortReads(new FileSource(log, size));
}

function requireSameHash(input: RecoveryInput, pass: PassResult): void {
  if (input.inputSha256 !== undefined && input.inputSha256 !== pass.inputSha256) {
    throw sourceChanged('reading it again gives other bytes');
  }
}

function stepsAfter(input: RecoveryInput, target: string): string[] {
  const { files, directory, plan } = input;
  const unchanged = input.log !== null && plan.kept.bytes === plan.inputBytes;
  return stepsToPutInPlace({ directory, target }, surroundingsOf(files, directory), unchanged);
}

function stepsAfterInPlace(files: Files, directory: string, work: string): string[] {
  const { fullText } = surroundingsOf(files, directory);
  const steps = [`Check the result: velescope verify ${quoted(resolve(directory))}`];
  if (fullText.length > 0) {
    const moves = fullText.map((name) => {
      const path = join(resolve(directory), name);
      return `mv -n ${quoted(path)} ${quoted(`${path}.before-recovery`)}`;
    });
    steps.push(
      `VelesDB trusts ${fullText.join(' and ')} and would search an old text index; move them aside together: ${moves.join(' && ')}`,
    );
  }
  steps.push(`The old log, its snapshot and the evidence are in ${quoted(work)}; keep it until you are sure.`);
  return steps;
}

function resultOf(
  input: RecoveryInput,
  target: string,
  pass: PassResult,
  verified: boolean,
  steps: string[],
): RecoveryResult {
  return {
    target,
    plan: input.plan,
    leftOut: pass.leftOut,
    evidence: join(target, EVIDENCE_DIRECTORY),
    inputSha256: pass.inputSha256,
    outputSha256: pass.outputSha256,
    verified,
    steps,
  };
}

function noLog(directory: string): VelescopeError {
  return new VelescopeError(
    'NOT_FOUND',
    `${join(directory, LOG_FILE)} is not there, so nothing can be put in its place`,
    {
      next: `Look into ${dirname(directory)} and into backups for it.`,
    },
  );
}
