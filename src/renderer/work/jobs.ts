import { findAllText, findText, type Wanted } from '../../core/find-text.ts';
import { fingerprintOf } from '../../core/fingerprint.ts';
import { checkText, type TextCheck } from '../../core/json/check-text.ts';
import { type LaidOut, layOut, storedText } from '../../core/json/layout.ts';
import type { JsonReader } from '../../core/json/number.ts';
import { type Followed, followPath, type PathAt, type PathStep, pathAt } from '../../core/json/path.ts';
import { type Reading, readAs } from '../../core/json/reading.ts';
import { parseSyntax, type SyntaxResult } from '../../core/json/syntax.ts';
import { parsePieces } from '../../shared/frames.ts';
import { piecesOfText, putTextsBack, takeTextsOut } from './carried-texts.ts';

/** So many characters of a text are shown in lists. */
export const HEAD_LENGTH = 200;

/** A text to store, and what is known of it. */
export interface MadeDraft {
  stored: string;
  fingerprint: string;
  check: TextCheck;
  /** Its first characters, and how many bytes it has. */
  head: string;
  bytes: number;
}

/** The shape of the text asked about last: making it anew for each move of the cursor would take most of a second. */
let last: { text: string; parsed: SyntaxResult } | null = null;

function shapeOf(text: string): SyntaxResult {
  if (last?.text !== text) last = { text, parsed: parseSyntax(text) };
  return last.parsed;
}

/**
 * Work on whole texts, by name: functions of the core, so that it does not matter where they run. In the window's own thread
 * each of them holds up what a person types for a second where the text has sixteen megabytes.
 */
export const JOBS = {
  /** What to display for a stored text. `base` is true where it is that text: it would be copied twice otherwise. */
  layOut: ({ stored, base }: { stored: string; base: string | null | true }): LaidOut =>
    layOut(stored, base === true ? stored : base),
  /** What VelesDB says to a text. */
  check: ({ text }: { text: string }): TextCheck => checkText(text),
  /** What to store for a displayed text. */
  store: ({ text, compact }: { text: string; compact: boolean }): string => storedText(text, compact),
  /** The same, with all that is asked of it when a draft is made. */
  draft: ({ text, compact }: { text: string; compact: boolean }): MadeDraft => {
    const stored = storedText(text, compact);
    const head = stored.slice(0, HEAD_LENGTH);
    const bytes = new TextEncoder().encode(stored).length;
    return { stored, fingerprint: fingerprintOf(stored), check: checkText(stored), head, bytes };
  },
  /** What VelesDB makes of a text. */
  read: ({ text, reader, limit }: { text: string; reader: JsonReader; limit: number }): Reading =>
    readAs(text, reader, limit),
  /** Where a path leads in a text. */
  follow: ({ text, steps }: { text: string; steps: PathStep[] }): Followed => {
    const parsed = shapeOf(text);
    return parsed.ok ? followPath(parsed.tree, steps) : { state: 'not-json', offset: parsed.offset };
  },
  /** The path at an offset of a text; null where that is not JSON. */
  pathAt: ({ text, offset }: { text: string; offset: number }): PathAt | null => {
    const parsed = shapeOf(text);
    return parsed.ok ? pathAt(parsed.tree, offset) : null;
  },
  /** Where something stands in a text. */
  find: ({ text, wanted, from, forward }: { text: string; wanted: Wanted; from: number; forward: boolean }) =>
    findText(text, wanted, from, forward),
  findAll: ({ text, wanted, most }: { text: string; wanted: Wanted; most: number }) => findAllText(text, wanted, most),
  /** A message of the protocol, from and to the UTF-8 that a socket carries. */
  parse: ({ pieces }: { pieces: Uint8Array[] }): unknown => parsePieces(pieces),
  print: ({ value }: { value: unknown }): Uint8Array<ArrayBuffer> => new TextEncoder().encode(JSON.stringify(value)),
};

export type JobName = keyof typeof JOBS;
export type JobParams<Name extends JobName> = Parameters<(typeof JOBS)[Name]>[0];
export type JobResult<Name extends JobName> = ReturnType<(typeof JOBS)[Name]>;

/**
 * To a worker: parts of a text by their numbers, each a string or its UTF-8; which parts, in order, are the text it holds from then on,
 * others being forgotten; pieces of a large text of the next job, the first of them with its place in the parameters; and jobs. With
 * `held` a job is about the text that is held.
 */
export type WorkRequest =
  | { type: 'part'; number: number; text: string | Uint8Array }
  | { type: 'whole'; parts: Float64Array }
  | { type: 'text'; path: string[] | null; text: string | Uint8Array }
  | { type: 'job'; name: JobName; params: object; held: boolean };
/** From a worker: how its job ended, and before it pieces of the large texts in its result, the first of each with its place there. */
export type WorkAnswer =
  | { type: 'text'; path: string[] | null; text: string }
  | { type: 'done'; value: unknown }
  | { type: 'failed'; message: string };

/** The worker's side: takes requests and answers each job, in order. */
export function createJobServer(answer: (answer: WorkAnswer) => void): (request: WorkRequest) => void {
  let parts = new Map<number, string>();
  let text = '';
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let carried: { path: string[]; pieces: string[] }[] = [];
  return (request) => {
    if (request.type === 'whole') {
      parts = new Map(Array.from(request.parts, (number) => [number, parts.get(number)!]));
      text = Array.from(request.parts, (number) => parts.get(number)!).join('');
      return;
    }
    if (request.type !== 'job') {
      const piece = typeof request.text === 'string' ? request.text : utf8.decode(request.text);
      if (request.type === 'part') parts.set(request.number, piece);
      else if (request.path) carried.push({ path: request.path, pieces: [piece] });
      else carried.at(-1)!.pieces.push(piece);
      return;
    }
    const params = request.held ? { ...request.params, text } : request.params;
    const texts = carried.map(({ path, pieces }) => ({ path, text: pieces.join('') }));
    carried = [];
    try {
      putTextsBack(params, texts);
      const job = JOBS[request.name] as (params: object) => unknown;
      const result = takeTextsOut({ value: job(params) });
      // Whole, a large text would be made in the window's thread at once, which takes longer than a key may.
      for (const { path, text } of result.texts) {
        let isFirst = true;
        for (const piece of piecesOfText(text)) {
          answer({ type: 'text', path: isFirst ? path : null, text: piece });
          isFirst = false;
        }
      }
      answer({ type: 'done', value: (result.message as { value: unknown }).value });
    } catch (thrown) {
      answer({ type: 'failed', message: (thrown as Error).message });
    }
  };
}
