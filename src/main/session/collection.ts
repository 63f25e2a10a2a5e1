import { join } from 'node:path';
import type { ByteSource } from '../../core/byte-source.ts';
import type { Generation, View } from '../../core/generation.ts';
import { liveIndex } from '../../core/live-index.ts';
import { type OutcomeLists, outcomesOf, type ViewDifference, type ViewOutcome } from '../../core/outcomes.ts';
import { checkPayloads } from '../../core/payload-check.ts';
import { ProvisionalRecords } from '../../core/provisional-records.ts';
import type { TableTotals } from '../../core/record-table.ts';
import { rowToRescanFrom, scan } from '../../core/scan.ts';
import type { Snapshot } from '../../core/snapshot.ts';
import { checkSnapshot, type SnapshotCheck } from '../../core/snapshot-check.ts';
import { runToEnd, type Steps, type WorkProgress } from '../../core/steps.ts';
import { stillHolds } from '../../core/still-holds.ts';
import { VelescopeError } from '../../shared/errors.ts';
import { crc32 } from '../engine/crc32.ts';
import { FileSource, refuseShortReads } from '../engine/file-source.ts';
import { type FileStatus, type Files, type OpenFile, readFully, statusOrNull } from '../engine/files.ts';
import { giveBack } from '../engine/give-back.ts';
import { createRecordTable } from '../engine/huge-pages.ts';
import { LOG_FILE } from '../engine/lock.ts';
import type { KnownLog } from '../engine/log-payload-storage.ts';
import { checkFile } from '../engine/parallel-check.ts';
import { scanFile } from '../engine/parallel-scan.ts';
import { readSnapshot, SNAPSHOT_FILE } from '../engine/snapshot-file.ts';
import { threadsFor } from '../services/read-collection.ts';
import { workerUrl } from '../services/worker-url.ts';
import { runSliced } from './slices.ts';

/** What became of the snapshot file. */
export type SnapshotFound =
  | { state: 'absent' }
  | { state: 'invalid'; reason: string }
  | {
      state: 'read';
      walPosition: bigint;
      count: number;
      /** Null once its entries were given up: see `releaseEntries`. */
      snapshot: Snapshot | null;
      check: SnapshotCheck | null;
    };

/**
 * How the log changed under us since it was last looked at. `touched` is a newer time at the same size: somebody wrote to it in place,
 * or set its time, or appended and took that back; `stillHolds` tells which.
 */
export type LogChange = 'same' | 'grew' | 'shrank' | 'touched' | 'replaced' | 'vanished';

/**
 * A write shows its time before it shows the new size. Only a log that has had a newer time and the size known for this long is read
 * again for it.
 */
const TOUCHED_AFTER_MILLISECONDS = 400;

/**
 * Everything a session knows of one collection's log: the columns of the scan, the snapshot and how it compares, and each
 * generation's outcome. Reads only; it never creates, locks or changes a file.
 */
export class CollectionState {
  table = createRecordTable();
  snapshot: SnapshotFound = { state: 'absent' };
  /** There is a snapshot that has not been read yet; `snapshot` says nothing until then. */
  snapshotUnread = false;
  /** What the snapshot names, for lists that are asked for while the scan runs; null before and after. */
  provisional: ProvisionalRecords | null = null;
  outcomes: Partial<Record<View, ViewOutcome>> = {};
  totals: TableTotals = this.table.totals();
  #file: OpenFile | null = null;
  #identity: FileStatus | null = null;
  /** A newer time of the log's last write, at the size known, and when that was first seen. */
  #suspicion: { modified: bigint; since: number } | null = null;
  /** Status of the log from before all of it was read; null once it grew. */
  #readWhole: FileStatus | null = null;
  /** Status of the snapshot's file from before it was read. */
  #snapshotStatus: FileStatus | null = null;
  #source: FileSource | null = null;
  readonly logPath: string;
  readonly snapshotPath: string;

  constructor(
    readonly files: Files,
    readonly directory: string,
  ) {
    this.logPath = join(directory, LOG_FILE);
    this.snapshotPath = join(directory, SNAPSHOT_FILE);
  }

  /** Whether there is a log; a missing one is an empty collection, as it is to the engine. */
  get exists(): boolean {
    return this.#file !== null;
  }

  /** The log's bytes, as far as they have been looked at. */
  get source(): ByteSource {
    return this.#source ?? NO_BYTES;
  }

  /** The same bytes for what is said of all of a segment. Where the log was cut since, reading throws LOG_SHRANK: half of one would be explained as another. */
  get wholeSource(): ByteSource {
    return refuseShortReads(this.source);
  }

  /**
   * The same bytes for a pass that is cut into slices: a source with a buffer of its own. Between two slices pages are read
   * through `source`, and what a pass still looks at must not change under it. Where the log was cut since, reading throws LOG_SHRANK.
   */
  sourceForPass(): ByteSource {
    return this.#file && this.#source ? refuseShortReads(new FileSource(this.#file, this.#source.size)) : NO_BYTES;
  }

  get size(): number {
    return this.#source?.size ?? 0;
  }

  /** The log, open for reading, and its status when it was opened; null where there is none. */
  get log(): { file: OpenFile; seen: FileStatus } | null {
    return this.#file && this.#identity ? { file: this.#file, seen: this.#identity } : null;
  }

  /** Reads bytes of the log, as far as it has been looked at, into the caller's memory; returns how many. For passes of their own. */
  readInto(into: Uint8Array, start: number, length: number, position: number): number {
    if (!this.#file) return 0;
    return readFully(this.#file, into, start, Math.min(length, this.size - position), position);
  }

  /**
   * Opens the log for reading and loads the snapshot. Throws coded errors; a missing log or snapshot is none. A session leaves the
   * snapshot for later: of a long log it takes longer to read than the first rows of the log itself.
   */
  open(snapshot: 'now' | 'later' = 'now'): void {
    const directory = statusOrNull(this.files, this.directory);
    if (!directory) throw new VelescopeError('NOT_FOUND', `There is no directory ${this.directory}.`);
    if (directory.kind !== 'directory') {
      throw new VelescopeError('NOT_A_DIRECTORY', `${this.directory} is not a directory.`);
    }
    if (statusOrNull(this.files, this.logPath)) {
      this.#file = this.files.open(this.logPath, 'read');
      this.#identity = this.#file.status();
      this.#readWhole = this.#identity;
      // At the size that belongs to that time: what is appended in between makes both newer.
      this.#source = new FileSource(this.#file, this.#identity.size);
    }
    if (snapshot === 'now') this.loadSnapshot();
    else this.snapshotUnread = statusOrNull(this.files, this.snapshotPath) !== null;
  }

  close(): void {
    this.#file?.close();
    this.#file = null;
    this.#source = null;
    this.#readWhole = null;
    this.#suspicion = null;
  }

  /** Forgets everything and opens anew. */
  reopen(snapshot: 'now' | 'later' = 'now'): void {
    this.close();
    this.table = createRecordTable();
    this.totals = this.table.totals();
    this.outcomes = {};
    this.snapshot = { state: 'absent' };
    this.provisional = null;
    this.open(snapshot);
  }

  loadSnapshot(): void {
    runToEnd(this.readSnapshot());
  }

  /** Loads the snapshot in steps. What a `reopen` has overtaken in between is thrown away. */
  *readSnapshot(): Steps<void> {
    const { table } = this;
    const status = statusOrNull(this.files, this.snapshotPath);
    const loaded = yield* readSnapshot(this.files, this.directory);
    if (table !== this.table) return;
    this.snapshotUnread = false;
    this.#snapshotStatus = status;
    // Whatever is wrong with it, the engine falls back to a full replay; so do we, and say why.
    if (loaded.state === 'absent') this.snapshot = { state: 'absent' };
    else if (loaded.state === 'valid') {
      const { walPosition, count } = loaded.snapshot;
      this.snapshot = { state: 'read', walPosition, count, snapshot: loaded.snapshot, check: null };
    } else this.snapshot = { state: 'invalid', reason: loaded.error.message };
  }

  /** Puts what the snapshot names in the order of the log, so that lists can go on with it where the scan has not come yet. */
  *orderSnapshot(): Steps<void> {
    const { table, snapshot } = this;
    if (snapshot.state !== 'read' || snapshot.snapshot === null) return;
    const records = yield* ProvisionalRecords.of(snapshot.snapshot, this.size);
    if (table === this.table) this.provisional = records;
  }

  /** Gives up what `orderSnapshot` made; lists that go on with it cannot be read any more. */
  releaseProvisional(): void {
    if (this.provisional) giveBack(this.provisional.order);
    this.provisional = null;
  }

  /**
   * Looks whether the log is still the file we know, and makes appended bytes visible to `source`.
   * @param ours whether writing is on, here: what a failed write put there and took back then says nothing of other hands.
   */
  lookAgain(ours = false): LogChange {
    const now = statusOrNull(this.files, this.logPath);
    if (!this.#file || !this.#identity || !this.#source) {
      if (!now) return 'same';
      this.reopen();
      return 'replaced';
    }
    if (!now) return 'vanished';
    if (now.device !== this.#identity.device || now.inode !== this.#identity.inode) return 'replaced';
    if (now.size < this.#source.size) return 'shrank';
    if (now.size === this.#source.size) {
      if (ours) this.#identity = now;
      return this.#isTouched(now) ? 'touched' : 'same';
    }
    this.#suspicion = null;
    this.#identity = now;
    this.#readWhole = null;
    this.#source.extendTo(now.size);
    return 'grew';
  }

  #isTouched({ modified }: FileStatus): boolean {
    if (modified === this.#identity?.modified) this.#suspicion = null;
    else if (modified !== this.#suspicion?.modified) this.#suspicion = { modified, since: performance.now() };
    return this.#suspicion !== null && performance.now() - this.#suspicion.since >= TOUCHED_AFTER_MILLISECONDS;
  }

  /**
   * After `touched`: whether the log still is what was read of it. A time alone says nothing: backups and `touch` set it, and VelesDB
   * moves it when it takes back an append that failed. Where it holds, the newer time is the log's time from now on.
   */
  *stillHolds(): Steps<boolean> {
    const { table } = this;
    const modified = this.#suspicion?.modified;
    const holds = yield* stillHolds({ source: this.sourceForPass(), crc32, table });
    // Overtaken by a `reopen`, which has read everything anew.
    if (table !== this.table) return true;
    if (!holds || !this.#file || !this.#identity || modified === undefined) return holds;
    // The time from before the pass: what is written while it runs is looked at again.
    this.#identity = { ...this.#identity, modified };
    this.#suspicion = null;
    // What the CRCs do not tell may be other bytes all the same.
    this.#source = new FileSource(this.#file, this.size);
    return true;
  }

  /**
   * What the scan knows of a log that every generation takes alike (`isSound`, and the snapshot agrees), for turning writing on
   * without reading it again. Null where it grew since all of it was read: the time of its last change then says nothing of the bytes
   * that were there before.
   */
  knownLog(): KnownLog | null {
    const { table, snapshot } = this;
    if (!this.#readWhole || table.linkedRows !== table.rows || table.end !== this.#readWhole.size) return null;
    let known: KnownLog['snapshot'] = null;
    if (snapshot.state === 'read') {
      if (snapshot.check?.state !== 'valid' || !this.#snapshotStatus) return null;
      const { walPosition, count } = snapshot;
      const bytes = this.#snapshotStatus.size;
      known = { status: this.#snapshotStatus, walPosition, entries: count, bytes };
    } else if (snapshot.state !== 'absent') return null;
    return { log: this.#readWhole, snapshot: known, index: () => liveIndex(table) };
  }

  /** Scans from where the table ends. After growth, `forgetTail` must come first. */
  *scanOn(): Steps<void> {
    const steps = scan({ source: this.sourceForPass(), crc32, table: this.table });
    for (;;) {
      const step = steps.next();
      this.table.link();
      if (step.done) break;
      yield step.value;
    }
    this.totals = yield* this.table.addUp();
  }

  /** The same, with as many threads as there are processors, letting messages in between slices. Throws CANCELLED. */
  async scanFast(options: { signal?: AbortSignal; onProgress?(progress: WorkProgress): void } = {}): Promise<void> {
    await scanFile({ ...options, ...this.#forThreads(), workerUrl: () => workerUrl('log') });
    this.totals = await runSliced(this.table.addUp(), { signal: options.signal });
  }

  /** Reads all payloads, with as many threads as there are processors, letting messages in between slices. Throws CANCELLED. */
  async checkFast(options: { signal?: AbortSignal; onProgress?(progress: WorkProgress): void } = {}): Promise<void> {
    await checkFile({ ...options, ...this.#forThreads(), workerUrl: () => workerUrl('log') });
    this.totals = await runSliced(this.table.addUp(), { signal: options.signal });
  }

  #forThreads() {
    return {
      source: this.sourceForPass(),
      table: this.table,
      ...threadsFor(this.files, this.#file),
    };
  }

  /** Drops rows that may look different now that the log goes on; returns the first row to be scanned again. */
  forgetTail(): number {
    const row = rowToRescanFrom(this.table, this.size);
    this.table.truncate(row);
    return row;
  }

  /** Reads payloads from `fromRow` on, compares the snapshot, and works out what each generation makes of it all. */
  *examine(fromRow: number): Steps<void> {
    yield* checkPayloads({ source: this.sourceForPass(), table: this.table, fromRow });
    this.totals = yield* this.table.addUp();
    yield* this.compareViews(fromRow);
  }

  /** Compares the snapshot, and works out what each generation makes of it all, after rows from `fromRow` on are new. */
  *compareViews(fromRow = 0): Steps<void> {
    const { table } = this;
    const source = this.sourceForPass();
    if (!this.#checkStillHolds(fromRow) && this.snapshot.state === 'read' && this.snapshot.snapshot === null) {
      this.loadSnapshot();
    }
    if (this.snapshot.state === 'read' && this.snapshot.snapshot !== null) {
      this.snapshot.check = yield* checkSnapshot({ source, table, snapshot: this.snapshot.snapshot });
    }
    const snapshot = this.snapshot.state === 'read' ? this.snapshot.snapshot : null;
    const snapshotAgrees = this.snapshot.state === 'read' && this.snapshot.check?.state === 'valid';
    this.outcomes = yield* outcomesOf({ source, crc32, table, snapshot, snapshotAgrees, payloads: true });
  }

  /**
   * Gives up the snapshot's entries where nothing will ask for them: they take 16 bytes each, half as much as the table. They are
   * needed while they disagree with the log, and to say of damage whether the snapshot hides it; then they stay.
   */
  releaseEntries(): void {
    if (this.snapshot.state !== 'read' || this.snapshot.check?.state !== 'valid' || this.totals.damaged > 0) return;
    if (this.snapshot.snapshot) giveBack(this.snapshot.snapshot.bytes);
    this.snapshot = { ...this.snapshot, snapshot: null };
  }

  /**
   * Whether what was found of entries that were given up is still true: it rests on the rows before the snapshot's position, so
   * rows behind it change nothing, as long as no damage is among them that would have to be explained by the entries.
   */
  #checkStillHolds(fromRow: number): boolean {
    if (this.snapshot.state !== 'read' || this.snapshot.snapshot !== null || this.totals.damaged > 0) return false;
    const from = fromRow < this.table.rows ? this.table.offsets[fromRow]! : this.table.end;
    return BigInt(from) >= this.snapshot.walPosition;
  }

  difference(view: View): ViewDifference | null {
    const outcome = this.outcomes[view];
    return outcome?.opens ? outcome.difference : null;
  }

  lists(view: View): OutcomeLists | null {
    const outcome = this.outcomes[view];
    return outcome?.opens ? outcome.lists : null;
  }
}

const NO_BYTES: ByteSource = { size: 0, read: () => new Uint8Array(0) };

/** Narrowing for callers that loop over views. */
export function isGeneration(view: View): view is Generation {
  return view !== 'salvage';
}
