import { useEffect, useState, useSyncExternalStore } from 'react';
import { printPath } from '../../../core/json/path.ts';
import { VisibleText } from '../../components/visible-text.tsx';
import { report } from '../../state/application.ts';
import { pathInDocument } from '../../state/document-paths.ts';
import type { PayloadDocument } from '../../state/documents.ts';
import { copyPath } from '../../state/shown-document.ts';
import { LARGE_FROM } from '../../work/work.ts';

const DELAY_MILLISECONDS = 150;
const LARGE_DELAY_MILLISECONDS = 900;

/** The path of the cursor, a moment after it came to rest. */
export function CursorPath({ document }: { document: PayloadDocument }) {
  const moment = useSyncExternalStore(document.subscribe, () => document.moment);
  const cursor = useSyncExternalStore(document.subscribeCursor, () => document.cursor);
  const [found, setFound] = useState<{ path: string; shadowed: boolean } | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the document changes in place, its moment says so
  useEffect(() => {
    const { doc } = document.state;
    const controller = new AbortController();
    const look = async () => {
      const at = await pathInDocument(doc, cursor, controller.signal);
      if (!controller.signal.aborted) setFound(at && { path: printPath(at.steps), shadowed: at.shadowed });
    };
    const timer = setTimeout(
      () => void look().catch(report),
      doc.length < LARGE_FROM ? DELAY_MILLISECONDS : LARGE_DELAY_MILLISECONDS,
    );
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [document, moment, cursor]);
  if (!found) return null;
  return (
    <>
      <span className="spacer" />
      {found.shadowed ? <span className="hint warning">equal keys: VelesDB reads a later one</span> : null}
      <span className="cursor-path mono muted" title="The path of the cursor">
        <VisibleText text={found.path} />
      </span>
      <button type="button" className="button quiet small" onClick={() => void copyPath()}>
        Copy path
      </button>
    </>
  );
}
