import { create } from 'zustand';
import { type Followed, parsePath, printPath } from '../../core/json/path.ts';
import { formatCount, formatNoun } from '../components/format.ts';
import { makeVisible } from '../components/visible-text.tsx';
import { announce } from './announcements.ts';
import { notify, report } from './application.ts';
import { followInDocument, pathInDocument } from './document-paths.ts';
import type { PayloadDocument } from './documents.ts';

/** The document that is being edited on the screen, and the value that was gone to last: its positions from the root. */
export const useShownDocument = create<{
  document: PayloadDocument | null;
  gone: { document: PayloadDocument; indexPath: readonly number[] } | null;
}>(() => ({ document: null, gone: null }));

/** Says that a document is on the screen. Returns what says that it is no more. */
export function showDocument(document: PayloadDocument): () => void {
  useShownDocument.setState({ document, gone: null });
  return () => {
    if (useShownDocument.getState().document === document) useShownDocument.setState({ document: null, gone: null });
  };
}

/**
 * Goes to the value a path leads to in the payload that is edited: code and tree select it and bring it into view. Returns why it
 * could not, or null.
 */
export async function goToPath(text: string): Promise<string | null> {
  const { document } = useShownDocument.getState();
  if (!document?.ready) return 'No payload is being edited.';
  const path = parsePath(text.trim());
  if (!path.ok) return `At character ${path.at + 1}: expected ${path.expected}.`;
  if (path.end < text.trim().length) return `At character ${path.end + 1}: expected . or [ or the end of the path.`;
  const { doc } = document.state;
  const followed = await followInDocument(doc, path.steps);
  if (followed.state !== 'found') return missingWords(followed, path.steps);
  if (useShownDocument.getState().document !== document || document.state.doc !== doc)
    return 'The payload changed meanwhile: try again.';
  const { place, equalKeys } = followed;
  document.select(place.start, place.end);
  useShownDocument.setState({ gone: { document, indexPath: place.indexPath } });
  const where = makeVisible(printPath(path.steps));
  if (equalKeys === 0) announce(`At ${where}.`);
  else {
    const words = `${formatNoun(equalKeys + 1, 'member')} on the way have equal keys: this is the last one, which VelesDB reads.`;
    announce(`At ${where}. ${words}`);
    notify({ tone: 'plain', text: words });
  }
  return null;
}

function missingWords(followed: Exclude<Followed, { state: 'found' }>, steps: readonly (string | number)[]): string {
  if (followed.state === 'not-json') return 'The text is not JSON at the moment, so no path leads anywhere in it.';
  const { matched, kind, count } = followed;
  const reached = makeVisible(printPath(steps.slice(0, matched)));
  const there =
    kind === 'object'
      ? `an object of ${formatNoun(count, 'member')}, none of this name`
      : kind === 'array'
        ? `an array of ${formatNoun(count, 'element')}${count > 0 ? `, [0] to [${formatCount(count - 1)}]` : ''}`
        : `a value of type ${kind}, which holds no others`;
  return `There is no ${makeVisible(printPath(steps))}. It matched as far as ${reached}, which is ${there}.`;
}

/** Copies the path of the cursor. */
export async function copyPath(): Promise<void> {
  const { document } = useShownDocument.getState();
  if (!document?.ready) return;
  try {
    const found = await pathInDocument(document.state.doc, document.cursor, new AbortController().signal);
    if (!found) {
      notify({ tone: 'plain', text: 'The text is not JSON at the moment, so the cursor has no path.' });
      return;
    }
    const path = printPath(found.steps);
    await navigator.clipboard.writeText(path);
    announce(`Copied ${makeVisible(path)}.`);
  } catch (thrown) {
    report(thrown);
  }
}
