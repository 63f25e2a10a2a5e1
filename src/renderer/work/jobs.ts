import { checkText, type TextCheck } from '../../core/json/check-text.ts';
import { type LaidOut, layOut, storedText } from '../../core/json/layout.ts';
import type { JsonReader } from '../../core/json/number.ts';
import { type Reading, readAs } from '../../core/json/reading.ts';
import { parsePieces } from '../../shared/frames.ts';

/**
 * Work on whole texts, by name: pure functions of the core, so that it does not matter where they run. In the window's own thread
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
  /** What VelesDB makes of a text. */
  read: ({ text, reader, limit }: { text: string; reader: JsonReader; limit: number }): Reading =>
    readAs(text, reader, limit),
  /** A message of the protocol, from and to the UTF-8 that a socket carries. */
  parse: ({ pieces }: { pieces: Uint8Array[] }): unknown => parsePieces(pieces),
  print: ({ value }: { value: unknown }): Uint8Array<ArrayBuffer> => new TextEncoder().encode(JSON.stringify(value)),
};

export type JobName = keyof typeof JOBS;
export type JobParams<Name extends JobName> = Parameters<(typeof JOBS)[Name]>[0];
export type JobResult<Name extends JobName> = ReturnType<(typeof JOBS)[Name]>;

/** To a worker: pieces of the text that the next job is about, then the job. Its `text` is the pieces where there are any. */
export type WorkRequest = { type: 'piece'; text: string } | { type: 'job'; name: JobName; params: object };
/** From a worker: how its job ended. */
export type WorkAnswer = { ok: true; value: unknown } | { ok: false; message: string };

/** The worker's side: takes requests and answers each job, in order. */
export function createJobServer(answer: (answer: WorkAnswer) => void): (request: WorkRequest) => void {
  let pieces: string[] = [];
  return (request) => {
    if (request.type === 'piece') {
      pieces.push(request.text);
      return;
    }
    const params = pieces.length === 0 ? request.params : { ...request.params, text: pieces.join('') };
    pieces = [];
    try {
      const job = JOBS[request.name] as (params: object) => unknown;
      answer({ ok: true, value: job(params) });
    } catch (thrown) {
      answer({ ok: false, message: (thrown as Error).message });
    }
  };
}
