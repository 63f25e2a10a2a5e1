import { type KeyboardEvent, useEffect, useLayoutEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import type { RecordDetail } from '../../../shared/protocol.ts';
import { formatOffset } from '../../components/format.ts';
import { useVirtualRows } from '../../components/virtual-rows/use-virtual-rows.ts';
import { BytePieces } from './byte-pieces.ts';
import { byteCharacter, byteName, fieldAt, hexByte, hexLayout, moveByte } from './hex-layout.ts';

const HEX_ROW_HEIGHT = 20;
/** Narrower than this, eight bytes stand in a row. */
const NARROW = { pane: 490, inline: 450 } as const;

/**
 * The bytes of a segment and a little of its neighbours, coloured by field, as a grid with one tab stop. Only the rows on the
 * screen exist: a hex view that mirrors a file into the page takes a screen reader down.
 */
export function HexView(props: {
  session: string;
  record: Pick<RecordDetail, 'offset' | 'length' | 'fields'>;
  logBytes: number;
  revision: number;
  /** Bytes to mark, counted from the segment's start. */
  marks?: ReadonlySet<number>;
  /** Height in rows, for a view inside of a page; else it fills its place. */
  rows?: number;
  onCursor?: (offset: number, bytes: (offset: number) => number | undefined) => void;
}) {
  const { session, record, logBytes, revision, marks, onCursor } = props;
  const inline = props.rows !== undefined;
  const scroller = useRef<HTMLDivElement>(null);
  const [bytesPerRow, setBytesPerRow] = useState(16);
  const offset = Number(record.offset);
  const { length } = record;
  const layout = useMemo(
    () => hexLayout({ offset, length }, logBytes, bytesPerRow),
    [offset, length, logBytes, bytesPerRow],
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: another revision may hold other bytes
  const pieces = useMemo(() => new BytePieces(session, layout.end), [session, layout.end, revision]);
  useEffect(() => () => pieces.close(), [pieces]);
  const version = useSyncExternalStore(pieces.subscribe, () => pieces.version);
  const rows = useVirtualRows(scroller, layout.rows, HEX_ROW_HEIGHT);
  const [cursor, setCursor] = useState(offset);
  const focusWanted = useRef(false);
  useEffect(() => setCursor(offset), [offset]);
  const at = Math.max(layout.start, Math.min(layout.end - 1, cursor));

  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const measure = () => setBytesPerRow(element.clientWidth < NARROW[inline ? 'inline' : 'pane'] ? 8 : 16);
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [inline]);

  useEffect(() => {
    pieces.want(
      layout.start + rows.first * bytesPerRow,
      Math.min(layout.end, layout.start + (rows.last + 1) * bytesPerRow),
    );
  }, [pieces, layout, rows.first, rows.last, bytesPerRow]);

  useLayoutEffect(() => {
    if (!focusWanted.current) return;
    const cell = scroller.current?.querySelector<HTMLElement>('[data-active]');
    if (!cell) return;
    focusWanted.current = false;
    cell.focus({ preventScroll: true });
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: the pieces change in place, their version says so
  useEffect(() => onCursor?.(at, (which) => pieces.get(which)), [at, pieces, version, onCursor]);

  const onKeyDown = (event: KeyboardEvent) => {
    const to = moveByte(layout, at, event, rows.map.wholeRows);
    if (to === null || event.altKey) return;
    event.preventDefault();
    setCursor(to);
    focusWanted.current = true;
    rows.reveal(Math.floor((to - layout.start) / bytesPerRow));
  };

  const shown: number[] = [];
  for (let row = rows.first; row <= rows.last; row++) shown.push(row);
  const cursorRow = Math.floor((at - layout.start) / bytesPerRow);
  if (layout.rows > 0 && (cursorRow < rows.first || cursorRow > rows.last)) shown.push(cursorRow);

  return (
    // biome-ignore lint/a11y/useSemanticElements: a table element cannot own rows that a scrolled layer positions
    <div
      ref={scroller}
      className={props.rows === undefined ? 'hex' : 'hex inline'}
      role="grid"
      aria-label="Bytes"
      aria-readonly="true"
      aria-rowcount={layout.rows}
      aria-colcount={bytesPerRow + 1}
      tabIndex={-1}
      onScroll={rows.onScroll}
      onKeyDown={onKeyDown}
      style={props.rows === undefined ? undefined : { height: Math.min(props.rows, layout.rows) * HEX_ROW_HEIGHT + 2 }}
    >
      <div role="presentation" style={{ height: rows.spacerHeight }}>
        <div
          className="hex-sticky"
          role="presentation"
          style={{ height: Math.min(rows.viewportHeight, rows.spacerHeight) }}
        >
          {shown.map((row) => {
            const from = layout.start + row * bytesPerRow;
            const inside = row >= rows.first && row <= rows.last;
            const top = inside
              ? rows.map.offsetOf(row)
              : row < rows.first
                ? -2 * HEX_ROW_HEIGHT
                : rows.viewportHeight + HEX_ROW_HEIGHT;
            return (
              // biome-ignore lint/a11y/useSemanticElements: see above
              // biome-ignore lint/a11y/useFocusableInteractive: cells hold the focus
              <div
                key={row}
                role="row"
                className="hex-row"
                aria-rowindex={row + 1}
                style={{ transform: `translateY(${top}px)` }}
              >
                {/* biome-ignore lint/a11y/useSemanticElements: see above */}
                {/* biome-ignore lint/a11y/useFocusableInteractive: the bytes hold the focus, the header names them */}
                <span role="rowheader" className="offset" aria-colindex={1}>
                  {formatOffset(from).slice(2)}
                </span>
                <HexBytes
                  from={from}
                  to={Math.min(layout.end, from + bytesPerRow)}
                  bytesPerRow={bytesPerRow}
                  segment={{ offset, length, fields: record.fields }}
                  marks={marks}
                  get={(which) => pieces.get(which)}
                  cursor={at}
                  onPress={(which) => {
                    setCursor(which);
                    focusWanted.current = true;
                  }}
                />
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}

function HexBytes(props: {
  from: number;
  to: number;
  bytesPerRow: number;
  segment: { offset: number; length: number; fields: RecordDetail['fields'] };
  marks: ReadonlySet<number> | undefined;
  get: (offset: number) => number | undefined;
  cursor: number;
  onPress: (offset: number) => void;
}) {
  const { from, to, bytesPerRow, segment, marks, get, cursor, onPress } = props;
  const cells = [];
  const characters = [];
  for (let offset = from; offset < to; offset++) {
    const byte = get(offset);
    const at = offset - segment.offset;
    const inside = at >= 0 && at < segment.length;
    const field = inside ? fieldAt(segment.fields, at) : null;
    const className = [
      inside ? (field ? `field-${field}` : '') : 'outside',
      inside && marks?.has(at) ? 'changed' : '',
    ].join(' ');
    const isCursor = offset === cursor;
    cells.push(
      // biome-ignore lint/a11y/useSemanticElements: a table element cannot own rows that a scrolled layer positions
      // biome-ignore lint/a11y/useKeyWithClickEvents: keys are handled by the grid
      <span
        key={offset}
        role="gridcell"
        className={`hex-byte ${className}`}
        aria-colindex={offset - from + 2}
        aria-label={byte === undefined ? 'loading' : byteName(offset, byte, inside ? field : 'neighbour')}
        tabIndex={isCursor ? 0 : -1}
        {...(isCursor ? { 'data-active': '' } : {})}
        onClick={() => onPress(offset)}
      >
        {byte === undefined ? '··' : hexByte(byte)}
      </span>,
    );
    characters.push(
      <span key={offset} className={className}>
        {byte === undefined ? ' ' : byteCharacter(byte)}
      </span>,
    );
  }
  const missing = bytesPerRow - (to - from);
  return (
    <>
      {cells}
      {missing > 0 ? (
        <span aria-hidden="true">
          {' '.repeat(missing * 2)}
          <span style={{ paddingLeft: `${missing * 0.24}em` }} />
        </span>
      ) : null}
      <span className="hex-text" aria-hidden="true">
        {characters}
      </span>
    </>
  );
}
