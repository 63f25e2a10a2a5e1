import { randomUUID } from 'node:crypto';
import {
  appendFileSync,
  closeSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import type { TextEdit } from '../../core/json/edits.ts';
import type { Steps } from '../../core/steps.ts';
import type { Draft } from '../../shared/protocol.ts';
import { tryLockDescriptor, unlockDescriptor } from '../engine/flock.ts';
import { isDone } from './is-done.ts';
import { hasHole, type Line, lastOf, type Opened, readingJournal, textAfter } from './journal-lines.ts';
import { keptName } from './kept-file.ts';
import { LiveDocuments } from './live-documents.ts';
import { SyncBehind, syncNames } from './sync-behind.ts';

/*
 * Edits of large payloads, as they are made. A draft of one takes a second to make and to keep, so it is made when typing pauses; what
 * was typed until then is here, a line for each change, from the same moment on. One file for each session: while it is open nobody
 * else touches it, and when it is closed, or its process is gone, what is in it and in no draft becomes one.
 */

const OPEN = /^([0-9a-f]{32})\.([0-9]+)\.[0-9a-f-]{36}\.journal$/;

/** So often it is looked whether another session left edits. */
const LOOK_MILLISECONDS = 1_000;

/** What an ended session left in no draft. */
export interface LeftEdits {
  draft: Draft;
  /** The document of a window whose changes they were. */
  document: string;
  /** When its last change was made, in milliseconds since 1970. */
  at: number;
}

/** Who takes up what ended sessions left. */
export interface TakesUp {
  /** Whether somebody has kept another draft since: that one stays. */
  isOvertaken(left: LeftEdits): boolean;
  /** Makes drafts of it. False where they are not kept yet: the journal stays then, and the edits are not given again. */
  keep(left: readonly LeftEdits[]): boolean;
  /** What could not be taken up, and what is there to do. */
  warn(words: string, next: string): void;
}

/**
 * The journal of one session on a data directory. The session holds the system's lock of its file, which ends with it, however that
 * ends. Rejected: the number of its process alone; it is given again, in a container even to the very next one.
 */
export class EditJournal {
  readonly #folder: string;
  readonly #name: string;
  readonly #unique = randomUUID();
  /** What a document begins from, and how far it is kept: its steps are only on the disk. */
  readonly #open = new Map<string, { id: string; offset: string | null; last: number; kept: number }>();
  readonly #live = new LiveDocuments();
  /** Open and locked while there is something in it. */
  #file: { descriptor: number; sync: SyncBehind } | null = null;
  /**
   * Lines that the disk did not take. They go before the next one: without a change that is missing, those behind it are worth nothing. Rejected: to
   * leave the document out from then on; a disk that is full for a moment would leave it without a journal for as long as it is open.
   */
  #owed: string[] = [];
  /** Journals that are to go once their drafts are kept. */
  readonly #taken = new Set<string>();
  /** Those that it was told of already. */
  readonly #told = new Set<string>();

  constructor(settingsDirectory: string, directory: string) {
    this.#folder = join(settingsDirectory, 'drafts');
    this.#name = keptName(directory);
  }

  get #path(): string {
    return join(this.#folder, `${this.#name}.${process.pid}.${this.#unique}.journal`);
  }

  /** A document begins to be edited. Throws what the system says; it begins all the same, and its line is owed. */
  begin(opened: Opened): void {
    this.#live.begin(opened);
    this.#open.set(opened.document, { id: opened.id, offset: opened.base?.offset ?? null, last: 0, kept: 0 });
    this.#append(opened);
  }

  /**
   * A change of a document. False where it was not begun here. Throws what the system says; the change is owed then, and counts for drafts.
   *
   * @param baseAt gives the record the document begins from now, where that is another one than before
   */
  step(
    document: string,
    step: number,
    edits: readonly TextEdit[],
    offset: string | null,
    baseAt: () => Draft['base'],
  ): boolean {
    const open = this.#open.get(document);
    if (!open) return false;
    open.last = Math.max(open.last, step);
    this.#live.step(document, step, edits);
    this.#append({ document, step, edits: [...edits], at: Date.now() });
    if (open.offset !== offset) {
      const rebased = baseAt();
      open.offset = offset;
      this.#live.rebase(document, rebased);
      this.#append({ document, rebased });
    }
    return true;
  }

  /**
   * The draft that the changes of a document make, up to one of them: the window that made them need not send the text, only what its text
   * is known by. Null where they are not all here, begin from another record than the one at `offset`, or make another text. Throws where they
   * do not fit. In steps; it is the draft of the moment in which they end.
   */
  *draftAt(document: string, step: number, offset: string | null, fingerprint: string): Steps<Draft | null> {
    const live = this.#live.get(document);
    if (!live) return null;
    const text = yield* live.textAt(step, fingerprint);
    const open = this.#open.get(document);
    // Dropped or written while its text was made.
    if (text === null || !open || open.offset !== offset) return null;
    return { id: open.id, action: 'store', text, base: live.base };
  }

  /** Resolves when what was journalled so far outlives a power failure, as far as the system can say. */
  async settled(): Promise<void> {
    await this.#file?.sync.settled();
  }

  /** The changes of a document up to a step are in its draft. Throws what the system says. */
  keep(document: string, step: number): void {
    const open = this.#open.get(document);
    if (!open) return;
    open.kept = Math.max(open.kept, step);
    this.#append({ document, kept: step });
  }

  /** Nothing of what was edited of these ids is wanted any more. Throws what the system says. */
  drop(ids: readonly string[]): void {
    const dropped = [...this.#open].filter(([, { id }]) => ids.includes(id));
    for (const [document] of dropped) {
      this.#open.delete(document);
      this.#live.forget(document);
    }
    // Also a full disk lets a file go.
    if (this.#open.size > 0) {
      this.#append(...dropped.map(([document]) => ({ document, kept: Number.MAX_SAFE_INTEGER })));
      return;
    }
    this.#owed = [];
    this.#end(false, () => rmSync(this.#path, { force: true }));
  }

  /** The session ends: what is in no draft is there for the next. */
  close(): void {
    try {
      const isKept = [...this.#open.values()].every(({ last, kept }) => kept >= last);
      this.#live.clear();
      // The disk may take by now what it did not. If not, the rest is worth keeping.
      if (!isKept) isDone(() => this.#append());
      this.#end(!isKept, () => {
        if (isKept) rmSync(this.#path, { force: true });
        else renameSync(this.#path, join(this.#folder, `${this.#name}.closed.${this.#unique}.journal`));
      });
    } catch {
      // Left as it is: it is taken up once the process is gone.
    }
  }

  /**
   * Gives what sessions that ended left in no draft to whoever makes drafts of it, and forgets what was kept. Throws nothing. In steps, because a
   * journal may hold the whole texts of many documents; one run at a time.
   */
  *takeUp(by: TakesUp): Steps<void> {
    for (const path of this.#leftBehind()) {
      try {
        yield* takeAlone(path, (file) => this.#take(path, file, by));
      } catch (thrown) {
        if (this.#told.has(path)) continue;
        this.#told.add(path);
        const words = `There are edits of an ended session, and they could not be read: ${(thrown as Error).message}`;
        by.warn(words, `They are left in ${path}. Make the file readable and open the collection again.`);
      }
    }
  }

  *#take(path: string, file: number, by: TakesUp): Steps<void> {
    const { documents, lines, damaged } = yield* readingJournal(file);
    const left: LeftEdits[] = [];
    /** What is in the journal and will be in no draft. */
    const missing: string[] = [];
    for (const edited of documents.values()) {
      const { id } = edited.opened;
      const last = lastOf(edited);
      if (damaged === 0 && hasHole(edited))
        missing.push(`Of the last edits of id ${id} some never arrived: those behind them are in no draft.`);
      // A draft has them already.
      if (last <= edited.kept) continue;
      try {
        const text = yield* textAfter(edited, last);
        const draft: Draft = { id, action: 'store', text, base: edited.base };
        const edits: LeftEdits = { draft, document: edited.opened.document, at: edited.at };
        if (!by.isOvertaken(edits)) left.push(edits);
        else
          missing.push(
            `The last edits of id ${id} were made before its draft, by a session that ended: the draft stays.`,
          );
      } catch {
        missing.push(`The last edits of id ${id} were not kept: they do not fit the text they began from.`);
      }
    }
    // Of two documents of one id, the one that was edited last.
    left.sort((one, other) => one.at - other.at);
    if (damaged > 0) {
      missing.push(
        `Edits of an ended session are damaged in ${damaged} of ${lines} places: the last of them may be missing.`,
      );
    }
    if (missing.length > 0) {
      const aside = `${path}.unreadable-${Date.now()}`;
      renameSync(path, aside);
      const next = `Look at the drafts before you write them. All that was typed is kept in ${aside}.`;
      for (const words of missing) by.warn(words, next);
      by.keep(left);
      return;
    }
    // Not before they are drafts: who is killed here takes them up again.
    this.#taken.add(path);
    if (by.keep(left)) this.#forget(path);
  }

  #forget(path: string): void {
    rmSync(path, { force: true });
    this.#taken.delete(path);
  }

  /** Calls `left` while there are edits of a session that was closed, until the returned function is called. */
  follow(left: () => void): () => void {
    // By its name, which says that it was closed: to try the locks of others each second could come between one of them and its own.
    const isClosed = (path: string): boolean => path.startsWith(`${this.#name}.closed.`, this.#folder.length + 1);
    const timer = setInterval(() => {
      if (this.#leftBehind().some((path) => isClosed(path) && !this.#told.has(path))) left();
    }, LOOK_MILLISECONDS);
    timer.unref();
    return () => clearInterval(timer);
  }

  #leftBehind(): string[] {
    let names: string[];
    try {
      names = readdirSync(this.#folder);
    } catch {
      return [];
    }
    const own = basename(this.#path);
    const isLeft = (name: string) => name.startsWith(`${this.#name}.`) && name.endsWith('.journal') && name !== own;
    return names
      .filter(isLeft)
      .map((name) => join(this.#folder, name))
      .filter((path) => !this.#taken.has(path));
  }

  /** Journals whose edits are drafts go, now that those are kept. */
  forgetTaken(): void {
    for (const path of this.#taken) this.#forget(path);
  }

  /** Appends lines, and those that are owed before them. */
  #append(...lines: Line[]): void {
    for (const line of lines) this.#owed.push(`${JSON.stringify(line)}\n`);
    if (this.#owed.length === 0) return;
    this.#file ??= this.#create();
    const { descriptor, sync } = this.#file;
    const { size } = fstatSync(descriptor);
    try {
      for (const text of this.#owed) appendFileSync(descriptor, text);
    } catch (thrown) {
      // Half a line would spoil the next one; where it cannot be taken back, the next one begins a line of its own.
      if (!isDone(() => ftruncateSync(descriptor, size))) this.#owed.unshift('\n');
      throw thrown;
    }
    this.#owed = [];
    sync.wrote();
  }

  #create(): { descriptor: number; sync: SyncBehind } {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const descriptor = openSync(this.#path, 'a', 0o600);
    lockIfPossible(descriptor);
    syncNames(this.#folder);
    return { descriptor, sync: new SyncBehind(descriptor) };
  }

  /** Gives the file up, and does something with it while it is still locked. */
  #end(stays: boolean, last: () => void): void {
    if (this.#file === null) return;
    const { descriptor, sync } = this.#file;
    this.#file = null;
    try {
      last();
    } finally {
      // By itself it would end once a sync that is still running does.
      unlockDescriptor(descriptor, false);
      sync.close(stays);
    }
  }
}

/** Works on a journal that nobody else is at; leaves one that belongs to a session, or is being taken up. */
function* takeAlone(path: string, work: (file: number) => Steps<void>): Steps<void> {
  const file = openSync(path, 'r+');
  try {
    const locked = lockIfPossible(file);
    if (locked === false) return;
    // Without locks a number is the best there is.
    const open = locked === null ? OPEN.exec(basename(path)) : null;
    if (open && isRunning(Number(open[2]))) return;
    // Somebody may have been at it in between.
    if (statSync(path, { bigint: true, throwIfNoEntry: false })?.ino !== fstatSync(file, { bigint: true }).ino) return;
    yield* work(file);
  } finally {
    closeSync(file);
  }
}

/** Whether the lock of a file was taken; null where the system has none to give. */
function lockIfPossible(file: number): boolean | null {
  try {
    return tryLockDescriptor(file, false);
  } catch {
    return null;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'EPERM';
  }
}
