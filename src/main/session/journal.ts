import { randomUUID } from 'node:crypto';
import { appendFileSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { applyEdits, type TextEdit } from '../../core/json/edits.ts';
import { displayText, storedText } from '../../core/json/layout.ts';
import type { Draft } from '../../shared/protocol.ts';
import { keptName } from './kept-file.ts';

/*
 * Edits of large payloads, as they are made. A draft of one takes a second to make and to keep, so it is made when typing pauses; what
 * was typed until then is here, a line for each change, from the same moment on. One file for each session: while it is open nobody
 * else touches it, and when it is closed, or its process is gone, what is in it and in no draft becomes one.
 */

const editsSchema = z.array(z.tuple([z.int().min(0), z.int().min(0), z.string()]).readonly());
const baseSchema = z.object({ offset: z.string(), text: z.string().nullable() }).nullable();
const lineSchema = z.union([
  /** A document was opened for editing. `opened` is null where that is the base's text. */
  z.object({
    document: z.string(),
    id: z.string(),
    compact: z.boolean(),
    opened: z.string().nullable(),
    /** What was displayed, where that is not what it was opened as: it had been edited before. */
    displayed: z.string().optional(),
    base: baseSchema,
  }),
  /** A change of it; each has its number, from 1 on, because a large one may be overtaken on its way. */
  z.object({ document: z.string(), step: z.int(), edits: editsSchema, at: z.int() }),
  /** Its draft was written: it begins from another record now. */
  z.object({ document: z.string(), rebased: baseSchema }),
  /** Up to here its changes are in a draft, or dropped. */
  z.object({ document: z.string(), kept: z.int() }),
]);
type Line = z.infer<typeof lineSchema>;
type Base = Draft['base'];
/** A document as it was opened for editing. */
export type Opened = Extract<Line, { opened: unknown }>;

interface Edited {
  opened: Opened;
  base: Base;
  steps: Map<number, z.infer<typeof editsSchema>>;
  kept: number;
  /** When the last change was made, in milliseconds since 1970. */
  at: number;
}

function take(line: Line, documents: Map<string, Edited>): void {
  if ('opened' in line) {
    documents.set(line.document, { opened: line, base: line.base, steps: new Map(), kept: 0, at: 0 });
    return;
  }
  const edited = documents.get(line.document);
  if (!edited) return;
  if ('step' in line) {
    edited.steps.set(line.step, line.edits);
    edited.at = line.at;
  } else if ('kept' in line) edited.kept = Math.max(edited.kept, line.kept);
  else edited.base = line.rebased;
}

const OPEN = /^([0-9a-f]{32})\.([0-9]+)\.[0-9a-f-]{36}\.journal$/;

/** The journal of one session on a data directory. */
export class EditJournal {
  readonly #folder: string;
  readonly #name: string;
  readonly #unique = randomUUID();
  /** What a document begins from, and how far it is kept: its steps are only on the disk. */
  readonly #open = new Map<string, { id: string; offset: string | null; last: number; kept: number }>();

  constructor(settingsDirectory: string, directory: string) {
    this.#folder = join(settingsDirectory, 'drafts');
    this.#name = keptName(directory);
  }

  get #path(): string {
    return join(this.#folder, `${this.#name}.${process.pid}.${this.#unique}.journal`);
  }

  /** A document begins to be edited. Throws what the system says. */
  begin(opened: Opened): void {
    this.#append(opened);
    this.#open.set(opened.document, { id: opened.id, offset: opened.base?.offset ?? null, last: 0, kept: 0 });
  }

  /**
   * A change of a document. False where it was not begun here. Throws what the system says.
   *
   * @param baseAt gives the record the document begins from now, where that is another one than before
   */
  step(document: string, step: number, edits: readonly TextEdit[], offset: string | null, baseAt: () => Base): boolean {
    const open = this.#open.get(document);
    if (!open) return false;
    if (open.offset !== offset) {
      this.#append({ document, rebased: baseAt() });
      open.offset = offset;
    }
    this.#append({ document, step, edits: [...edits], at: Date.now() });
    open.last = Math.max(open.last, step);
    return true;
  }

  /**
   * The draft that the changes of a document make, up to one of them: the window that made them need not send the text. Null where they are
   * not all here, or begin from another record than the one at `offset`. Throws what the system says, or where they do not fit.
   */
  draftAt(document: string, step: number, offset: string | null): Draft | null {
    const open = this.#open.get(document);
    if (!open || open.offset !== offset) return null;
    const edited = documentsIn(this.#path, document).get(document);
    if (!edited || lastOf(edited) < step) return null;
    return { id: open.id, action: 'store', text: textAfter(edited, step), base: edited.base };
  }

  /** The changes of a document up to a step are in its draft. */
  keep(document: string, step: number): void {
    const open = this.#open.get(document);
    if (!open) return;
    open.kept = Math.max(open.kept, step);
    this.#append({ document, kept: step });
  }

  /** Nothing of what was edited of these ids is wanted any more. */
  drop(ids: readonly string[]): void {
    for (const [document, open] of this.#open) {
      if (!ids.includes(open.id)) continue;
      this.#append({ document, kept: Number.MAX_SAFE_INTEGER });
      this.#open.delete(document);
    }
    if (this.#open.size === 0) rmSync(this.#path, { force: true });
  }

  /** The session ends: what is in no draft is there for the next. */
  close(): void {
    try {
      if ([...this.#open.values()].every(({ last, kept }) => kept >= last)) rmSync(this.#path, { force: true });
      else renameSync(this.#path, join(this.#folder, `${this.#name}.closed.${this.#unique}.journal`));
    } catch {
      // Left as it is: it is taken up once the process is gone.
    }
  }

  /**
   * What sessions that ended left in no draft, and forgets it.
   *
   * @param refused is told of ids whose changes do not fit what they began from
   */
  takeUp(refused: (id: string) => void): { draft: Draft; at: number }[] {
    const left: { draft: Draft; at: number }[] = [];
    for (const path of this.#leftBehind()) {
      for (const edited of documentsIn(path).values()) {
        const { id } = edited.opened;
        const last = lastOf(edited);
        // A draft has them already.
        if (last <= edited.kept) continue;
        try {
          const text = textAfter(edited, last);
          left.push({ draft: { id, action: 'store', text, base: edited.base }, at: edited.at });
        } catch {
          refused(id);
        }
      }
      rmSync(path, { force: true });
    }
    return left;
  }

  #leftBehind(): string[] {
    let names: string[];
    try {
      names = readdirSync(this.#folder);
    } catch {
      return [];
    }
    const isLeft = (name: string): boolean => {
      if (!name.startsWith(`${this.#name}.`) || !name.endsWith('.journal')) return false;
      const open = OPEN.exec(name);
      return !open || !isRunning(Number(open[2]));
    };
    return names.filter(isLeft).map((name) => join(this.#folder, name));
  }

  #append(line: Line): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    appendFileSync(this.#path, `${JSON.stringify(line)}\n`, { mode: 0o600 });
  }
}

/** The documents of a journal, or the one of a name. */
function documentsIn(path: string, wanted?: string): Map<string, Edited> {
  const documents = new Map<string, Edited>();
  const start = wanted === undefined ? '' : JSON.stringify({ document: wanted }).slice(0, -1);
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    if (!line.startsWith(start)) continue;
    const parsed = lineSchema.safeParse(tryParse(line));
    // The last line may have been cut.
    if (parsed.success) take(parsed.data, documents);
  }
  return documents;
}

/** The last change of a document before which none is missing. */
function lastOf({ steps }: Edited): number {
  let last = 0;
  while (steps.has(last + 1)) last++;
  return last;
}

/** The text to store after the changes of a document up to one of them. */
function textAfter({ opened, steps }: Edited, last: number): string {
  const before = opened.opened ?? opened.base?.text ?? null;
  const displayed = opened.displayed ?? (before === null || !opened.compact ? before : displayText(before));
  if (displayed === null) throw new RangeError('There is no text to begin from.');
  const edits = Array.from({ length: last }, (_, index) => steps.get(index + 1)!);
  return storedText(applyEdits(displayed, edits), opened.compact);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function tryParse(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return null;
  }
}
