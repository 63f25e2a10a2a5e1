import type { Text } from '@codemirror/state';
import { type Followed, followPath, type PathAt, type PathStep, pathAt } from '../../core/json/path.ts';
import { parseSyntax, type SyntaxResult } from '../../core/json/syntax.ts';
import { LARGE_FROM, payloadWork } from '../work/work.ts';
import { sourceOf } from './large-text.ts';

let last: { doc: Text; parsed: SyntaxResult } | null = null;

/** The shape of a document that is not large. */
function parsedHere(doc: Text): SyntaxResult {
  if (last?.doc !== doc) last = { doc, parsed: parseSyntax(doc.toString()) };
  return last.parsed;
}

/** Where a path leads in a document. Beside the window where it is large. */
export async function followInDocument(doc: Text, steps: PathStep[]): Promise<Followed> {
  if (doc.length < LARGE_FROM) {
    const parsed = parsedHere(doc);
    return parsed.ok ? followPath(parsed.tree, steps) : { state: 'not-json', offset: parsed.offset };
  }
  return payloadWork.run('follow', { text: '', steps }, { source: sourceOf(doc) });
}

/** The path at an offset of a document; null where that is not JSON. Beside the window where it is large. */
export async function pathInDocument(doc: Text, offset: number, signal: AbortSignal): Promise<PathAt | null> {
  if (doc.length < LARGE_FROM) {
    const parsed = parsedHere(doc);
    return parsed.ok ? pathAt(parsed.tree, offset) : null;
  }
  return payloadWork.run('pathAt', { text: '', offset }, { signal, source: sourceOf(doc) });
}
