import { z } from 'zod';
import { applyEdits } from '../../core/json/edits.ts';
import { displayText, storedText } from '../../core/json/layout.ts';
import type { Draft } from '../../shared/protocol.ts';

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

/** The documents of a journal, how many lines it has, and how many of them cannot be understood. */
export function readJournal(text: string): { documents: Map<string, Edited>; lines: number; damaged: number } {
  const documents = new Map<string, Edited>();
  const lines = text.split('\n');
  let damaged = 0;
  for (const [number, line] of lines.entries()) {
    const parsed = lineSchema.safeParse(tryParse(line));
    if (parsed.success) take(parsed.data, documents);
    // Without a line feed behind it, the last one was cut by the end of its process.
    else if (number < lines.length - 1) damaged++;
  }
  return { documents, lines: lines.length - 1, damaged };
}

/** The last change of a document before which none is missing. */
export function lastOf({ steps }: Edited): number {
  let last = 0;
  while (steps.has(last + 1)) last++;
  return last;
}

/** The text to store after the changes of a document up to one of them. */
export function textAfter({ opened, steps }: Edited, last: number): string {
  const before = opened.opened ?? opened.base?.text ?? null;
  const displayed = opened.displayed ?? (before === null || !opened.compact ? before : displayText(before));
  if (displayed === null) throw new RangeError('There is no text to begin from.');
  const edits = Array.from({ length: last }, (_, index) => steps.get(index + 1)!);
  return storedText(applyEdits(displayed, edits), opened.compact);
}

function tryParse(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return null;
  }
}
