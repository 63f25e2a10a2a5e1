import { join } from 'node:path';
import type { View } from '../../core/generation.ts';
import { isSound } from '../../core/outcomes.ts';
import type { ProvisionalRecords } from '../../core/provisional-records.ts';
import { isDamage, type Verdict } from '../../core/segment.ts';
import type { Steps } from '../../core/steps.ts';
import { formatU64, highU32, lowU32, parseU64 } from '../../core/u64.ts';
import { toErrorValue, VelescopeError } from '../../shared/errors.ts';
import type {
  CallContext,
  Durability,
  Filter,
  Order,
  ProtocolEvent,
  RecordDetail,
  Result,
  Row,
  Summary,
} from '../../shared/protocol.ts';
import { crc32 } from '../engine/crc32.ts';
import { type Files, statusOrNull } from '../engine/files.ts';
import { databaseLockPaths } from '../engine/lock.ts';
import { findHolder, type Holder } from '../engine/lock-holder.ts';
import type { KnownLog } from '../engine/log-payload-storage.ts';
import { LogThread } from '../engine/log-threads.ts';
import { decideWritability, writingRefusal } from '../engine/writability.ts';
import { endsTorn, holderWords } from '../services/in-flight.ts';
import { CollectionState, type LogChange } from './collection.ts';
import { followFile } from './following.ts';
import type { LastWrite } from './last-write.ts';
import { type NamedRecord, ProvisionalReader, scannedEnd } from './provisional-rows.ts';
import { Query } from './queries.ts';
import { describeRecord } from './record-detail.ts';
import { describeRow } from './rows.ts';
import { nextTurn, runSliced, throttled } from './slices.ts';
import { describeMap, describeOutcomes, describeSnapshot, describeTail } from './summary.ts';
import type { Writer } from './writing.ts';

export interface SessionOptions {
  name: string;
  files: Files;
  /** Path of the collection's directory. */
  directory: string;
  collectionName: string;
  settingsDirectory: string;
  readOnly: boolean;
  view: View;
  emit(event: ProtocolEvent): void;
}

/** How often a running pass says how far it is. */
const REPORT_MILLISECONDS = 200;
/** First rows of a query are answered this soon, even if its search goes on. */
const QUERY_PATIENCE_MILLISECONDS = 60;
/** The snapshot is read after this long at the latest, even if nobody has asked for rows. */
const FIRST_ROWS_PATIENCE_MILLISECONDS = 500;
/** A page waits for the scan's slice after each of its own, so it is cut only where the disk is slow or its rows lie far apart. */
const PAGE_SLICE_MILLISECONDS = 24;
/** Slices of the snapshot beside those of the scan: a page waits for one of each. */
const SNAPSHOT_SLICE_MILLISECONDS = 24;
const MOST_QUERIES = 16;
const IN_FLIGHT_WAIT_MILLISECONDS = 150;

/**
 * One open collection: what is known of its log, the lists that windows look at, and how far the passes over it have come.
 * It lives in a worker; everything long runs in slices, so that a page or a cancel never waits for a pass.
 */
export class Session {
  readonly state: CollectionState;
  readonly directory: string;
  view: View;
  revision = 0;
  phase: Summary['phase'] = 'scanning';
  durability: Durability = 'fsync';
  following = false;
  /** Full-text index went stale by what was written here. */
  fullTextStale = false;
  writer: Writer | null = null;
  /** What `writing.undoLast` takes back; it outlives the writer. */
  lastWrite: LastWrite | null = null;
  #failure: ReturnType<typeof toErrorValue> | null = null;
  #progress = { done: 0, total: 0 };
  #scanMilliseconds = 0;
  #refusal: VelescopeError | null = null;
  #inFlight = false;
  /** Whether every generation takes the log's records alike. */
  #sound = false;
  readonly #queries = new Map<string, Query>();
  #nextQuery = 1;
  readonly #stop = new AbortController();
  /** Stops the passes over the log as it is open now: also those that a rescan overtakes, which would speak of files that are closed. */
  #passes = new AbortController();
  /** Passes over the log run one after another. */
  #work: Promise<void> = Promise.resolve();
  #endFollowing: (() => void) | null = null;
  #onRowsShown = () => {};

  constructor(readonly options: SessionOptions) {
    this.directory = options.directory;
    this.view = options.view;
    this.state = new CollectionState(options.files, options.directory);
  }

  /** Opens the files and begins the scan; throws at once when the directory cannot be opened at all. */
  start(): void {
    this.state.open('later');
    this.#run((signal) => this.#scanAll(signal));
  }

  close(): void {
    this.#stop.abort();
    this.#passes.abort();
    this.#endFollowing?.();
    for (const query of this.#queries.values()) query.stop.abort();
    this.writer?.close();
    this.state.close();
  }

  /** Queues a pass; a failure becomes the session's failure, never an unhandled one. */
  #run(pass: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { signal } = this.#passes;
    const run = this.#work.then(async () => {
      if (signal.aborted) return;
      try {
        await pass(signal);
      } catch (thrown) {
        if (signal.aborted) return;
        this.phase = 'failed';
        this.#failure = toErrorValue(thrown);
        this.changed();
      }
    });
    this.#work = run;
    return run;
  }

  /** Waits until every pass that is queued now has ended. */
  settled(): Promise<void> {
    return this.#work;
  }

  async #scanAll(signal: AbortSignal): Promise<void> {
    const started = performance.now();
    this.phase = 'scanning';
    this.#failure = null;
    const report = throttled(REPORT_MILLISECONDS, () => this.changed());
    const onProgress = ({ done, total }: { done: number; total: number }) => {
      this.#progress = { done, total };
      report();
    };
    const scanned = new AbortController();
    const reading = this.#readSnapshotBeside(scanned.signal, signal);
    // Awaited below, whatever becomes of the scan.
    reading.catch(() => {});
    try {
      await this.state.scanFast({ signal, onProgress });
    } finally {
      scanned.abort();
      await reading;
    }
    this.#scanMilliseconds = performance.now() - started;
    this.phase = 'checking';
    this.changed();
    await this.state.checkFast({ signal, onProgress });
    await runSliced(this.state.compareViews(), { signal, onProgress });
    await this.#releaseEntries();
    await this.#decide(signal);
    // What follows are short passes, which one thread does.
    LogThread.endIdle();
    this.phase = 'ready';
    this.changed();
    if (this.#tailIsTorn() && this.lock().held) this.#run((next) => this.#lookAtTailAgain(next));
  }

  /**
   * Reads the snapshot while the log is scanned, and makes lists of what it names. Not before a window has its first rows, which come
   * from the log: the snapshot of a long log takes longer to read than they do. Where the scan is over first, it is only read.
   */
  async #readSnapshotBeside(scanned: AbortSignal, signal: AbortSignal): Promise<void> {
    const { state } = this;
    if (!state.snapshotUnread) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, FIRST_ROWS_PATIENCE_MILLISECONDS);
      this.#onRowsShown = () => {
        clearTimeout(timer);
        resolve();
      };
      scanned.addEventListener('abort', this.#onRowsShown, { once: true });
    });
    // The scan ends no later for it: its turn comes when this is done, and until then there is nothing to look up.
    const milliseconds = SNAPSHOT_SLICE_MILLISECONDS;
    await runSliced(state.readSnapshot(), { signal, milliseconds });
    if (scanned.aborted) return;
    try {
      await runSliced(state.orderSnapshot(), { signal: scanned, milliseconds });
      this.changed();
    } catch (thrown) {
      if (!scanned.aborted) throw thrown;
    }
  }

  /** Whether lists may go on with rows from the snapshot. */
  get #provisional(): ProvisionalRecords | null {
    return this.phase === 'scanning' ? this.state.provisional : null;
  }

  /** Gives up what nothing will ask for any more; the memory is free in the next turn. */
  async #releaseEntries(): Promise<void> {
    // Windows made their lists anew when the scan was through.
    for (const query of [...this.#queries.values()]) if (query.tailCount > 0) this.closeQuery(query.name);
    this.state.releaseProvisional();
    this.state.releaseEntries();
    await nextTurn();
  }

  #tailIsTorn(): boolean {
    return endsTorn(this.state.table);
  }

  /** Beside a running VelesDB an incomplete last record may just be being written (docs/contract.md). */
  async #lookAtTailAgain(signal: AbortSignal): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, IN_FLIGHT_WAIT_MILLISECONDS));
    await this.#catchUp(signal);
    this.#inFlight = this.#tailIsTorn() && this.lock().held;
    if (this.#inFlight) this.changed();
  }

  /** Works out whether this log may be written to, and if not, why. */
  async #decide(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { state } = this;
    const snapshot = state.snapshot.state === 'read' ? state.snapshot.snapshot : null;
    const agrees = state.snapshot.state !== 'read' || state.snapshot.check?.state === 'valid';
    this.#sound = agrees && isSound(state.table);
    if (this.#sound) {
      this.#refusal = null;
      return;
    }
    const decided = await runSliced(decideWritability({ source: state.sourceForPass(), crc32, snapshot }), {
      signal,
    });
    this.#refusal = decided.writable ? null : writingRefusal(decided.obstacles);
  }

  /** Takes in what was appended since the last look: by us, or by the VelesDB that is followed. */
  catchUp(): Promise<void> {
    return this.#run((signal) => this.#catchUp(signal));
  }

  async #catchUp(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const change = this.state.lookAgain(this.writer !== null);
    if (change === 'same') return;
    if (change === 'touched' && (await runSliced(this.state.stillHolds(), { signal }))) {
      this.changed();
      return;
    }
    if (change !== 'grew') {
      this.phase = 'failed';
      this.#failure = toErrorValue(logChanged(change));
      this.following = false;
      this.#endFollowing?.();
      this.#endFollowing = null;
      this.changed();
      return;
    }
    const from = this.state.forgetTail();
    await runSliced(this.state.scanOn(), { signal });
    await runSliced(this.state.examine(from), { signal });
    // What was being written may be whole now, and what is incomplete now was not there a moment ago.
    this.#inFlight = this.#tailIsTorn() && this.lock().held;
    await this.#releaseEntries();
    await this.#decide(signal);
    this.changed();
  }

  /** Reads the snapshot file again and compares it, after it was written or moved. */
  snapshotChanged(): Promise<void> {
    return this.#run(async (signal) => {
      this.state.loadSnapshot();
      await runSliced(this.state.compareViews(), { signal });
      await this.#releaseEntries();
      await this.#decide(signal);
      this.changed();
    });
  }

  rescan(): Promise<void> {
    this.#passes.abort();
    this.#passes = new AbortController();
    this.state.reopen('later');
    for (const query of this.#queries.values()) query.stop.abort();
    this.#queries.clear();
    this.#inFlight = false;
    this.phase = 'scanning';
    this.changed();
    void this.#run((signal) => this.#scanAll(signal));
    return Promise.resolve();
  }

  setFollow(on: boolean): void {
    this.following = on;
    this.#endFollowing?.();
    this.#endFollowing = null;
    if (on) {
      this.#endFollowing = followFile(this.options.files, this.state.logPath, () => void this.catchUp());
      void this.catchUp();
    }
    this.changed();
  }

  setView(view: View): void {
    this.view = view;
    this.changed();
  }

  /** A new revision: windows are told, with the summary so that they need not ask. */
  changed(): void {
    this.revision++;
    const summary = this.summary();
    this.options.emit({ event: 'session', session: this.options.name, revision: this.revision, summary });
  }

  lock(): { held: boolean; holder: string | null } {
    for (const path of databaseLockPaths(this.options.files, this.directory)) {
      const holder: Holder | null = findHolder(path);
      if (holder !== null && holder.pid !== process.pid) {
        return { held: true, holder: holderWords(holder) };
      }
    }
    return { held: false, holder: null };
  }

  /** What was read of the log, where turning writing on may rely on it. */
  knownLog(): KnownLog | null {
    return this.phase === 'ready' && this.#sound ? this.state.knownLog() : null;
  }

  /** Aborted when the session is closed. */
  get closing(): AbortSignal {
    return this.#stop.signal;
  }

  /** Why writing cannot be turned on, or null. */
  refusal(): VelescopeError | null {
    if (this.options.readOnly) {
      return new VelescopeError('READ_ONLY', 'Velescope was started read only.', {
        next: 'Start it without --read-only.',
      });
    }
    const lock = this.lock();
    if (lock.held) {
      return new VelescopeError('LOCK_HELD', `The database is in use by ${lock.holder}.`, {
        next: 'Stop that process; two writers on one log corrupt it.',
      });
    }
    if (this.phase === 'failed')
      return new VelescopeError('LOG_CHANGED', this.#failure?.message ?? 'The log could not be read.');
    if (this.phase !== 'ready') {
      return new VelescopeError('NOT_ALLOWED', 'The log is still being read.', {
        next: 'Wait until the scan is complete.',
      });
    }
    return this.#refusal;
  }

  summary(): Summary {
    const { state } = this;
    const { totals } = state;
    const scanning = this.phase === 'scanning';
    const live = scanning ? state.table : null;
    const lock = this.lock();
    return {
      session: this.options.name,
      revision: this.revision,
      phase: this.phase,
      failure: this.#failure,
      progress: this.phase === 'ready' ? { done: state.size, total: state.size } : this.#progress,
      provisional: this.#provisional !== null,
      name: this.options.collectionName,
      path: this.directory,
      log: {
        exists: state.exists,
        bytes: state.size,
        records: live ? live.linkedRows : totals.records,
        stores: totals.stores,
        deletes: totals.deletes,
        legacy: totals.legacy,
        gaps: totals.gaps,
        damagedBytes: totals.damagedBytes,
        liveBytes: totals.liveBytes,
        supersededBytes: totals.supersededBytes,
        deadBytes: totals.deadBytes,
      },
      counts: {
        all: live ? live.linkedRows : state.table.linkedRows,
        live: this.#liveCount(),
        damaged: this.#inFlight ? Math.max(0, totals.damaged - 1) : totals.damaged,
      },
      damage: {
        byVerdict: damageOnly(totals.byVerdict),
        tail: scanning ? null : describeTail(state),
        inFlight: this.#inFlight,
      },
      view: this.view,
      outcomes: describeOutcomes(state),
      snapshot: describeSnapshot(state),
      writing: {
        on: this.writer !== null,
        durability: this.durability,
        refusal: this.writer ? null : (errorOrNull(this.refusal()) ?? null),
        undoable: this.#undoable(),
      },
      lock,
      fullText: {
        present: statusOrNull(this.options.files, join(this.directory, 'bm25.snapshot')) !== null,
        stale: this.fullTextStale,
      },
      following: this.following,
      scanMilliseconds: Math.round(this.#scanMilliseconds * 10) / 10,
    };
  }

  #undoable(): Summary['writing']['undoable'] {
    const { lastWrite } = this;
    return lastWrite === null || lastWrite.isTooLarge ? null : { kind: lastWrite.kind, records: lastWrite.count };
  }

  #liveCount(): number {
    const outcome = this.state.outcomes[this.view];
    if (outcome) return outcome.opens ? outcome.live : 0;
    return this.state.totals.live;
  }

  // ------------------------------------------------------------ lists of rows

  async query(filter: Filter, order: Order, context: CallContext): Promise<Result<'records.query'>> {
    while (this.#queries.size >= MOST_QUERIES) this.closeQuery(this.#queries.keys().next().value!);
    const name = `${this.options.name}-q${this.#nextQuery++}`;
    const query = new Query(name, this.state, filter, order, this.revision, this.#provisional);
    this.#queries.set(name, query);
    context.signal.addEventListener('abort', () => query.stop.abort());
    const tell = throttled(100, () => {
      if (this.#queries.has(name)) this.#tellQuery(query);
    });
    const steps = query.run(this.view);
    const running = runSliced(steps, {
      signal: query.stop.signal,
      onProgress: (progress) => {
        context.progress(progress);
        tell();
      },
    }).catch((thrown) => {
      query.error = thrown instanceof VelescopeError ? thrown : new VelescopeError('INTERNAL', String(thrown));
      query.complete = true;
    });
    // A short query answers complete; a long one answers what it has and goes on.
    await Promise.race([running, new Promise((resolve) => setTimeout(resolve, QUERY_PATIENCE_MILLISECONDS))]);
    if (query.error && query.error.code !== 'CANCELLED') {
      this.closeQuery(name);
      throw query.error;
    }
    // Also of a list that is no longer kept: somebody may be waiting for it.
    if (!query.complete) void running.then(() => this.#tellQuery(query));
    return { query: name, revision: query.revision, total: query.total, complete: query.complete };
  }

  #tellQuery(query: Query): void {
    this.options.emit({
      event: 'query',
      session: this.options.name,
      query: query.name,
      total: query.total,
      complete: query.complete,
      error: errorOrNull(query.error),
    });
  }

  closeQuery(name: string): void {
    this.#queries.get(name)?.stop.abort();
    this.#queries.delete(name);
  }

  /** A list by its name; NO_SUCH_QUERY once it is closed. */
  queryNamed(name: string): Query {
    const query = this.#queries.get(name);
    if (!query)
      throw new VelescopeError('NO_SUCH_QUERY', 'This list is no longer kept.', { next: 'Ask for it again.' });
    return query;
  }

  async page(name: string, from: number, count: number, signal: AbortSignal): Promise<Result<'records.page'>> {
    const query = this.queryNamed(name);
    const milliseconds = PAGE_SLICE_MILLISECONDS;
    const rows = await runSliced(this.#describe(query, from, count), { signal, milliseconds });
    if (rows.length > 0) this.#onRowsShown();
    return { revision: query.revision, total: query.total, complete: query.complete, rows };
  }

  /** In steps: each row may cost a read, and of rows that were not scanned yet the CRC is checked here. */
  *#describe(query: Query, from: number, count: number): Steps<Row[]> {
    const rows: Row[] = [];
    let reader: ProvisionalReader | null = null;
    const end = Math.min(query.total, from + count);
    for (let position = from; position < end; position++) {
      // What the list goes on with is given up when the scan is through, and the table when the log is read again.
      this.queryNamed(query.name);
      const entry = query.entryAt(position);
      if (entry < 0) rows.push(describeRow(this.state, this.view, query.rowAt(position)));
      else {
        reader ??= new ProvisionalReader(this.state, this.view);
        rows.push(yield* reader.row(namedBy(query.provisional!, entry)));
      }
      yield { done: rows.length, total: end - from };
    }
    return rows;
  }

  async locate(
    name: string,
    target: { by: 'id'; id: string } | { by: 'offset'; offset: string } | { by: 'row'; row: number },
  ): Promise<Result<'records.locate'>> {
    const query = this.queryNamed(name);
    const { table } = this.state;
    let row: number;
    if (target.by === 'row') row = target.row;
    else if (target.by === 'offset') {
      const offset = Number(target.offset);
      const records = this.#provisional;
      if (records && offset >= scannedEnd(table)) {
        // Of records the snapshot names nothing but where they begin: the last one that begins here or before.
        const before = records.positionFrom(offset + 1) - 1;
        const entry = before < 0 ? -1 : records.entryAt(before);
        return locateEntry(query, records, entry >= 0 && records.marker(entry) >= scannedEnd(table) ? entry : -1);
      }
      row = table.rowAt(offset);
    } else {
      const id = parseU64(target.id);
      if (id === null) throw new VelescopeError('INVALID_ID', `${target.id} is no id: ids are 0 to 2^64-1.`);
      const low = lowU32(id);
      const high = highU32(id);
      const records = this.#provisional;
      if (records) {
        // The snapshot's record of an id is a later one than any that was scanned so far, or it was scanned.
        const entry = await runSliced(records.find(low, high), { signal: this.#stop.signal });
        if (this.#provisional === records && entry >= 0 && records.marker(entry) >= scannedEnd(table)) {
          return locateEntry(query, records, entry);
        }
      }
      row = table.liveRow(low, high);
      if (row < 0) row = table.newestRow(low, high);
    }
    if (row < 0 || row >= table.linkedRows) return { position: null, row: null };
    const position = query.positionOf(row);
    return { position: position < 0 ? null : position, row };
  }

  /** What a provisional row stands for. */
  async recordAt(id: string, offset: string, signal: AbortSignal): Promise<RecordDetail> {
    const value = parseU64(id);
    if (value === null) throw new VelescopeError('INVALID_ID', `${id} is no id: ids are 0 to 2^64-1.`);
    const named = { low: lowU32(value), high: highU32(value), offset: BigInt(offset) };
    return runSliced(new ProvisionalReader(this.state, this.view).record(named, this.revision), { signal });
  }

  record(row: number): RecordDetail {
    this.requireRow(row);
    return describeRecord(this.state, this.view, row, this.revision);
  }

  requireRow(row: number): void {
    if (row < this.state.table.linkedRows) return;
    throw new VelescopeError('NO_SUCH_ROW', `There is no row ${row}; the log has ${this.state.table.linkedRows}.`, {
      next: 'The log was read again since; reload the list.',
    });
  }

  bytes(offset: string, length: number): Result<'record.bytes'> {
    const from = Number(offset);
    const bytes = from >= this.state.size ? new Uint8Array(0) : this.state.source.read(from, length);
    return { offset, base64: Buffer.from(bytes).toString('base64') };
  }

  async history(
    id: string,
    signal: AbortSignal,
    { from, count = 1000 }: { from?: number | undefined; count?: number | undefined } = {},
  ): Promise<Result<'record.history'>> {
    const value = parseU64(id);
    if (value === null) throw new VelescopeError('INVALID_ID', `${id} is no id: ids are 0 to 2^64-1.`);
    const { table } = this.state;
    const steps = table.someHistory(lowU32(value), highU32(value), count, from);
    const { total, rows } = await runSliced(steps, { signal });
    // Of a log that was cut, or is read anew, some are not there any more.
    const there = table === this.state.table ? rows.filter((row) => row < table.linkedRows) : [];
    return { total, rows: there.map((row) => describeRow(this.state, this.view, row)) };
  }

  async map(buckets: number, signal: AbortSignal): Promise<Result<'log.map'>> {
    const { revision, state } = this;
    const bytes = state.size;
    return { revision, bytes, values: await runSliced(describeMap(state, buckets), { signal }) };
  }

  /** Whether a row is the incomplete last record that a running VelesDB is writing. */
  isInFlight(row: number): boolean {
    return this.#inFlight && row === this.state.table.rows - 1;
  }

  /** Refuses changes to the directory that are not writes to a sound log: repairs, moving files aside. */
  requireMayChange(): void {
    if (this.options.readOnly || this.lock().held) throw this.refusal();
  }

  /** Says what went wrong beside the work asked for. */
  warn(warning: VelescopeError): void {
    this.options.emit({ event: 'warning', session: this.options.name, error: toErrorValue(warning) });
  }

  /** Decimal text of a row's id. */
  idText(row: number): string {
    return formatU64(this.state.table.idLow[row]!, this.state.table.idHigh[row]!);
  }

  /** Lets what has arrived be handled, in loops that belong to no generator. */
  breathe(): Promise<void> {
    return nextTurn();
  }
}

function namedBy(records: ProvisionalRecords, entry: number): NamedRecord {
  return { low: records.idLow(entry), high: records.idHigh(entry), offset: records.exactMarker(entry) };
}

function locateEntry(query: Query, records: ProvisionalRecords, entry: number): Result<'records.locate'> {
  if (entry < 0) return { position: null, row: null };
  const { low, high, offset } = namedBy(records, entry);
  const position = query.positionOfEntry(entry);
  const provisional = { id: formatU64(low, high), offset: String(offset) };
  return { position: position < 0 ? null : position, row: null, provisional };
}

/** Counts of what is damage: intact and unprotected records are none. */
function damageOnly(byVerdict: Partial<Record<Verdict, number>>): Partial<Record<Verdict, number>> {
  return Object.fromEntries(Object.entries(byVerdict).filter(([verdict]) => isDamage(verdict as Verdict)));
}

function errorOrNull(error: VelescopeError | null): ReturnType<typeof toErrorValue> | null {
  return error ? toErrorValue(error) : null;
}

function logChanged(change: Exclude<LogChange, 'same' | 'grew'>): VelescopeError {
  const [code, words] = LOG_CHANGES[change];
  return new VelescopeError(code, words, { next: 'Read the log again to see what is there now.' });
}

const LOG_CHANGES = {
  shrank: ['LOG_SHRANK', 'payloads.log became shorter while it was open.'],
  touched: [
    'LOG_CHANGED',
    'payloads.log was written to in place while it was open: what was read of it is not there any more.',
  ],
  replaced: ['LOG_REPLACED', 'payloads.log was replaced by another file while it was open.'],
  vanished: ['NOT_FOUND', 'payloads.log is gone.'],
} as const;
