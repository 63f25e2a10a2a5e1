import { fstatSync, readSync } from 'node:fs';
import { z } from 'zod';
import { EditedText } from '../../core/json/edits.ts';
import { displaying, storing } from '../../core/json/layout.ts';
import type { Steps } from '../../core/steps.ts';
import type { Draft } from '../../shared/protocol.ts';
import { tryParse } from './try-parse.ts';

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
/** A line of a journal. */
export type Line = z.infer<typeof lineSchema>;
/** A document as it was opened for editing. */
export type Opened = Extract<Line, { opened: unknown }>;

/** What a journal says of one document. */
export interface Edited {
  opened: Opened;
  base: Draft['base'];
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

/** So much of a journal is read at once. */
const CHUNK = 1 << 20;
const LINE_FEED = 0x0a;

/**
 * The documents of a journal, how many lines it has, and how many of them cannot be understood. In steps, a line at a time: a journal is
 * as long as its documents together, which may be more than one string can hold.
 */
export function* readingJournal(
  file: number,
): Steps<{ documents: Map<string, Edited>; lines: number; damaged: number }> {
  const documents = new Map<string, Edited>();
  const total = fstatSync(file).size;
  let lines = 0;
  let damaged = 0;
  let parts: Buffer[] = [];
  for (let done = 0; ; ) {
    const chunk = Buffer.allocUnsafe(CHUNK);
    const length = readSync(file, chunk, 0, CHUNK, done);
    // Without a line feed behind it, the last line was cut by the end of its process.
    if (length === 0) return { documents, lines, damaged };
    done += length;
    let from = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0 && end < length; end = chunk.indexOf(LINE_FEED, from)) {
      parts.push(chunk.subarray(from, end));
      from = end + 1;
      const line = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
      parts = [];
      lines++;
      const parsed = lineSchema.safeParse(tryParse(line.toString()));
      if (parsed.success) take(parsed.data, documents);
      else damaged++;
      yield { done, total };
    }
    parts.push(chunk.subarray(from, length));
    yield { done, total };
  }
}

/** The last change of a document before which none is missing. */
export function lastOf({ steps }: Pick<Edited, 'steps'>): number {
  let last = 0;
  while (steps.has(last + 1)) last++;
  return last;
}

/** Whether changes are there that can never be made, because one before them is missing and no draft has it. */
export function hasHole({ steps, kept }: Edited): boolean {
  const made = Math.max(kept, lastOf({ steps }));
  for (const step of steps.keys()) if (step > made) return true;
  return false;
}

/** The text to store after the changes of a document up to one of them. */
export function* textAfter({ opened, steps }: Edited, last: number): Steps<string> {
  const before = opened.opened ?? opened.base?.text ?? null;
  const isLaidOut = opened.displayed === undefined && before !== null && opened.compact;
  const displayed = opened.displayed ?? (isLaidOut ? yield* displaying(before) : before);
  if (displayed === null) throw new RangeError('There is no text to begin from.');
  const edited = new EditedText(displayed);
  for (let step = 1; step <= last; step++) {
    edited.apply(steps.get(step)!);
    yield { done: step, total: last };
  }
  return yield* storing(edited.text(), opened.compact);
}
