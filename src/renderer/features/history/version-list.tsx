import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useLayoutEffect, useRef } from 'react';
import type { ScannedRow } from '../../../shared/protocol.ts';
import { formatCount, formatOffset } from '../../components/format.ts';
import { StateWord } from '../../components/state-word.tsx';
import { VisibleText } from '../../components/visible-text.tsx';
import { stateWord } from '../../components/words.ts';
import { goTo } from '../../state/go-to.ts';
import type { Versions } from './use-versions.ts';

/** The height of a version in pixels; all are equal, so that the place of any is known. */
const VERSION_HEIGHT = 54;

/** The versions of an id, oldest first; only those on the screen exist. Begins at the newest, which stands at the end. */
export function VersionList(props: {
  versions: Versions;
  want: (first: number, last: number) => void;
  /** The row that is selected in the grid. */
  current: number | null;
  compared: readonly number[];
  onCompare: (row: number) => void;
  onRestore: (version: ScannedRow) => void;
}) {
  const { versions, want, current, compared, onCompare, onRestore } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: versions.total,
    getScrollElement: () => scroller.current,
    estimateSize: () => VERSION_HEIGHT,
    overscan: 6,
    initialRect: { width: 400, height: 400 },
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: where it begins, not where it goes
  useLayoutEffect(() => virtual.scrollToIndex(versions.total - 1, { align: 'end' }), []);
  const shown = virtual.getVirtualItems();
  const first = shown[0]?.index ?? 0;
  const last = shown.at(-1)?.index ?? 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is wanted follows from what shows
  useEffect(() => want(first, last), [first, last, versions.total]);
  return (
    <div className="card versions" ref={scroller}>
      <ul style={{ height: virtual.getTotalSize() }}>
        {shown.map(({ index, start }) => (
          <li
            key={index}
            className={versions.rows.get(index)?.row === current ? 'version current' : 'version'}
            aria-setsize={versions.total}
            aria-posinset={index + 1}
            style={{ height: VERSION_HEIGHT, transform: `translateY(${start}px)` }}
          >
            <Version
              version={versions.rows.get(index)}
              number={index + 1}
              compared={compared}
              onCompare={onCompare}
              onRestore={onRestore}
            />
          </li>
        ))}
      </ul>
    </div>
  );
}

function Version(props: {
  version: ScannedRow | undefined;
  number: number;
  compared: readonly number[];
  onCompare: (row: number) => void;
  onRestore: (version: ScannedRow) => void;
}) {
  const { version, number, compared, onCompare, onRestore } = props;
  if (!version) return <span className="muted">{formatCount(number)}: reading…</span>;
  return (
    <>
      <input
        type="checkbox"
        aria-label={`Compare version ${number}, ${formatOffset(version.offset)}`}
        disabled={version.kind !== 'store'}
        checked={compared.includes(version.row)}
        onChange={() => onCompare(version.row)}
      />
      <button type="button" className="count-button mono" onClick={() => void goTo({ by: 'row', row: version.row })}>
        {formatOffset(version.offset)}
      </button>
      <span className="version-state">
        <StateWord word={stateWord(version)} />
        <span className="muted">
          · {formatCount(version.length)} bytes{version.state === 'live' ? ' · current' : ''}
          {version.foundBySearch ? ' · found by search' : ''}
        </span>
      </span>
      {version.kind === 'store' && version.state !== 'live' ? (
        <button type="button" className="button small" onClick={() => onRestore(version)}>
          Restore as a draft
        </button>
      ) : (
        <span />
      )}
      <span className="preview">{version.kind === 'delete' ? 'deleted' : <VisibleText text={version.preview} />}</span>
    </>
  );
}
