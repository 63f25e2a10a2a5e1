import { dirname, join } from 'node:path';
import type { IdIndex } from '../../core/id-index.ts';
import type { RecordTable } from '../../core/record-table.ts';
import type { RecoveryPlan } from '../../core/recovery/plan.ts';
import { encodeSnapshot, SNAPSHOT_ENTRY_SIZE, SNAPSHOT_HEADER_SIZE } from '../../core/snapshot.ts';
import type { Steps } from '../../core/steps.ts';
import { VelescopeError } from '../../shared/errors.ts';
import { crc32 } from './crc32.ts';
import { FileSource } from './file-source.ts';
import { appendFully, type FileStatus, type Files, type OpenFile, statusOrNull } from './files.ts';
import { LOG_FILE } from './lock.ts';
import { BufferedAppender, hashOf, type PassResult, passOver } from './recovery-pass.ts';
import {
  EVIDENCE_DIRECTORY,
  EVIDENCE_FILE,
  EVIDENCE_INDEX,
  type ReportFacts,
  writeEvidenceIndex,
  writeReports,
} from './recovery-report.ts';
import {
  makeDurableDirectories,
  missingDirectories,
  removeQuietly,
  requireSpace,
  targetRefusal,
} from './recovery-target.ts';
import { notVerified, verifyOutput, verifySnapshot } from './recovery-verify.ts';
import { loadSnapshot, SNAPSHOT_FILE, SNAPSHOT_TEMPORARY_FILE, writeSnapshot } from './snapshot-file.ts';

/** There from the first to the last moment of a run: where it is found, the run did not finish. */
export const INCOMPLETE_MARKER = 'recovery.incomplete';
const INCOMPLETE_LOG = `${LOG_FILE}.incomplete`;
const MARKER_TEXT =
  'This recovery did not finish, and nothing in this directory is to be used. Its source was not changed.\nThe directory may be deleted.\n';
/** About what an entry of the evidence's index and of the report takes, for the free space. */
const BYTES_A_PIECE = 400;

/** What a recovery works on: a log that was scanned, and the plan made of that scan. */
export interface RecoveryInput {
  files: Files;
  /** The collection's directory. */
  directory: string;
  /** The log, open for reading, as it was scanned; null where there is none, which is an empty one. */
  log: OpenFile | null;
  /** Its status when the scan began; null as `log`. */
  seen: FileStatus | null;
  /** Scanned, linked, payloads checked: the one the plan was made of. */
  table: RecordTable;
  plan: RecoveryPlan;
  /** SHA-256 of the log before it was scanned, where it is known: then no change in between goes unseen. */
  inputSha256?: string;
  clock?: () => Date;
}

/** POLICY_NOT_MET where the plan writes nothing. */
export function requireMet({ directory, plan }: Pick<RecoveryInput, 'directory' | 'plan'>): void {
  if (plan.met) return;
  throw new VelescopeError('POLICY_NOT_MET', plan.refusal ?? `The policy ${plan.policy} is not met`, {
    next: 'Choose another policy: tolerate-tail leaves out a torn tail, point-in-time what follows the first damage, salvage only what is damaged.',
    data: { directory, policy: plan.policy },
  });
}

/** SOURCE_CHANGED where the log is not the one that was scanned, by identity, size and time of change. */
export function requireUnchanged(input: Pick<RecoveryInput, 'files' | 'directory' | 'log' | 'seen' | 'plan'>): void {
  const { files, directory, log, seen, plan } = input;
  const path = join(directory, LOG_FILE);
  const there = statusOrNull(files, path);
  if (log === null || seen === null) {
    if (there === null) return;
    throw sourceChanged(`${path} was not there when it was looked at, and is now`);
  }
  if (there === null) throw sourceChanged(`${path} is gone`);
  const open = log.status();
  for (const status of [there, open]) {
    if (status.inode !== seen.inode || status.device !== seen.device) {
      throw sourceChanged(`${path} is not the file that was scanned`);
    }
    if (status.size !== plan.inputBytes) {
      throw sourceChanged(`${path} had ${plan.inputBytes} bytes when it was scanned and has ${status.size}`);
    }
    if (status.modified !== seen.modified) throw sourceChanged(`${path} was written to after it was scanned`);
  }
}

export function sourceChanged(what: string): VelescopeError {
  return new VelescopeError('SOURCE_CHANGED', `The log changed during the recovery: ${what}`, {
    next: 'Stop what writes to it, then scan and plan again. Nothing was put in place.',
  });
}

export interface WrittenResult {
  pass: PassResult;
  /** Removes the result again. */
  discard(): void;
}

/**
 * Writes the result of a plan into a directory of its own: log, snapshot, evidence and reports, each complete before it has its
 * name, verified as a whole before this returns. The source is only read. Whatever stops it (an error, or the generator ended
 * by its caller), what was made is removed again; where even that fails, `recovery.incomplete` stays and says so.
 */
export function* writeResult(
  input: RecoveryInput,
  directory: string,
  facts: Pick<ReportFacts, 'target' | 'inPlace' | 'steps'>,
): Steps<WrittenResult> {
  const { files, plan } = input;
  requireUnchanged(input);
  requireSpace(files, directory, spaceNeeded(plan));
  const place = new Workplace(files, directory);
  try {
    openForResult(place, directory);
    const pass = yield* writeLogAndEvidence(input, place);
    const index = yield* verifyWritten(input, place, pass);
    place.rename(INCOMPLETE_LOG, LOG_FILE);
    yield* addSnapshot(files, directory, plan, index, place);
    const whole = { ...facts, time: (input.clock ?? (() => new Date()))().toISOString(), plan, pass };
    const report: ReportFacts = { ...whole, directory: input.directory };
    writeEvidenceIndex(files, place.add(join(EVIDENCE_DIRECTORY, EVIDENCE_INDEX)), report);
    place.add('recovery-report.json');
    place.add('recovery-report.md');
    writeReports(files, directory, report);
    requireUnchanged(input);
    place.finish();
    return { pass, discard: () => place.discard() };
  } finally {
    place.close();
  }
}

function openForResult(place: Workplace, directory: string): void {
  try {
    place.open();
  } catch (thrown) {
    throw targetRefusal(directory, thrown) ?? thrown;
  }
}

function spaceNeeded(plan: RecoveryPlan): number {
  const entries = plan.predicted?.live ?? plan.kept.ids;
  const snapshot = SNAPSHOT_HEADER_SIZE + 4 + entries * SNAPSHOT_ENTRY_SIZE;
  return plan.outputBytes + plan.leftOut.bytes + plan.leftOut.pieces * BYTES_A_PIECE + snapshot;
}

function* writeLogAndEvidence(input: RecoveryInput, place: Workplace): Steps<PassResult> {
  const { files, plan, log } = input;
  const outputFile = files.open(place.add(INCOMPLETE_LOG), 'create');
  try {
    const evidenceFile = files.open(place.add(join(EVIDENCE_DIRECTORY, EVIDENCE_FILE)), 'create');
    try {
      const output = new BufferedAppender(outputFile);
      const evidence = new BufferedAppender(evidenceFile);
      const source = log === null ? NO_BYTES : new FileSource(log, plan.inputBytes);
      const pass = yield* passOver(source, plan, {
        output: (bytes) => output.write(bytes),
        evidence: (bytes) => evidence.write(bytes),
      });
      output.flush();
      evidence.flush();
      requireUnchanged(input);
      if (input.inputSha256 !== undefined && input.inputSha256 !== pass.inputSha256) {
        throw sourceChanged('reading it again gives other bytes');
      }
      outputFile.sync();
      evidenceFile.sync();
      if (evidenceFile.size() !== plan.leftOut.bytes) throw notVerified('the evidence is not whole');
      return pass;
    } finally {
      evidenceFile.close();
    }
  } finally {
    outputFile.close();
  }
}

/** Reads back what was written and compares it with the plan. Returns the index that every generation builds of it. */
function* verifyWritten(input: RecoveryInput, place: Workplace, pass: PassResult): Steps<IdIndex> {
  const { files, plan, table } = input;
  const file = files.open(place.path(INCOMPLETE_LOG), 'read');
  try {
    if (file.size() !== plan.outputBytes) {
      throw notVerified(`the log should have ${plan.outputBytes} bytes and has ${file.size()}`);
    }
    if ((yield* hashOf(new FileSource(file))) !== pass.outputSha256) {
      throw notVerified('reading the log back gives other bytes than were written');
    }
    const evidence = files.open(place.path(join(EVIDENCE_DIRECTORY, EVIDENCE_FILE)), 'read');
    try {
      yield* verifyEvidence(new FileSource(evidence), pass);
    } finally {
      evidence.close();
    }
    return yield* verifyOutput(new FileSource(file), table, plan);
  } finally {
    file.close();
  }
}

function* verifyEvidence(evidence: FileSource, pass: PassResult): Steps<void> {
  let position = 0;
  for (const piece of pass.leftOut) {
    const part = { size: piece.length, read: shifted(evidence, position, piece.length) };
    if ((yield* hashOf(part)) !== piece.sha256)
      throw notVerified(`the evidence of offset ${piece.offset} reads otherwise`);
    position += piece.length;
  }
}

function shifted(source: FileSource, from: number, size: number): (offset: number, length: number) => Uint8Array {
  return (offset, length) => source.read(from + offset, Math.min(length, size - offset));
}

function* addSnapshot(
  files: Files,
  directory: string,
  plan: RecoveryPlan,
  index: IdIndex,
  place: Workplace,
): Steps<void> {
  place.add(SNAPSHOT_TEMPORARY_FILE);
  place.add(SNAPSHOT_FILE);
  writeSnapshot(files, directory, encodeSnapshot(plan.outputBytes, index, crc32));
  const loaded = loadSnapshot(files, directory);
  if (loaded.state !== 'valid') throw notVerified(`the snapshot reads as ${loaded.state}`);
  const file = files.open(join(directory, LOG_FILE), 'read');
  try {
    yield* verifySnapshot(new FileSource(file), loaded.snapshot, index);
  } finally {
    file.close();
  }
}

const NO_BYTES = { size: 0, read: () => new Uint8Array(0) };

/** A directory that a run makes and fills: it knows what it made, and takes it back unless the run finishes. */
class Workplace {
  readonly #made: string[] = [];
  readonly #directories: string[] = [];
  #finished = false;

  constructor(
    private readonly files: Files,
    private readonly directory: string,
  ) {}

  path(name: string): string {
    return join(this.directory, name);
  }

  /** Makes the directory and marks it as incomplete, durably, before anything else is in it. */
  open(): void {
    this.#directories.push(...missingDirectories(this.files, this.directory));
    makeDurableDirectories(this.files, this.#directories);
    const marker = this.files.open(this.add(INCOMPLETE_MARKER), 'create');
    try {
      appendFully(marker, Buffer.from(MARKER_TEXT), 0, MARKER_TEXT.length);
      marker.sync();
    } finally {
      marker.close();
    }
    this.#directories.push(this.path(EVIDENCE_DIRECTORY));
    this.files.makeDirectory(this.path(EVIDENCE_DIRECTORY));
    this.files.syncDirectory(this.directory);
  }

  /** Notes a file that is about to be made; returns its path. */
  add(name: string): string {
    this.#made.push(this.path(name));
    return this.path(name);
  }

  rename(from: string, to: string): void {
    this.files.rename(this.path(from), this.add(to));
  }

  /** Everything is written and synced: makes the names durable and takes the mark away. */
  finish(): void {
    this.files.syncDirectory(this.path(EVIDENCE_DIRECTORY));
    this.files.syncDirectory(this.directory);
    this.files.unlink(this.path(INCOMPLETE_MARKER));
    this.files.syncDirectory(this.directory);
    this.#finished = true;
  }

  close(): void {
    if (!this.#finished) this.discard();
  }

  /** Takes everything back, the mark last of the files: where something stays, so does it. */
  discard(): void {
    const [marker, ...others] = this.#made;
    let gone = true;
    for (const path of others.reverse()) gone = removeQuietly(this.files, path, 'file') && gone;
    if (gone && marker !== undefined) gone = removeQuietly(this.files, marker, 'file');
    if (!gone) return;
    for (const path of this.#directories.reverse()) removeQuietly(this.files, path, 'directory');
    try {
      this.files.syncDirectory(dirname(this.directory));
    } catch {
      // The error that led here is the one to tell.
    }
  }
}
