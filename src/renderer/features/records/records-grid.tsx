import { FlexRender, type SortingState, useTable } from '@tanstack/react-table';
import {
  type CSSProperties,
  type KeyboardEvent,
  useCallback,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react';
import { PAGE_LIMIT, type Row } from '../../../shared/protocol.ts';
import { formatCount, formatOffset } from '../../components/format.ts';
import { Icon } from '../../components/icon.tsx';
import { useVirtualRows } from '../../components/virtual-rows/use-virtual-rows.ts';
import { makeVisible } from '../../components/visible-text.tsx';
import { call } from '../../connection/current.ts';
import { announce } from '../../state/announcements.ts';
import { notify } from '../../state/application.ts';
import { useDrafts } from '../../state/drafts.ts';
import { beginDelete } from '../../state/editing.ts';
import { isBehind, refreshQuery, setOrder } from '../../state/records-list.ts';
import { selectDraft, selectProvisional, selectRow, showTab } from '../../state/selection.ts';
import { setFollow } from '../../state/session.ts';
import { type ByteRange, useSession } from '../../state/session-state.ts';
import { focusEditor } from '../commands/focus.ts';
import { COLUMN_LAYOUT, COLUMNS, features, GRID_COLUMNS, idWidth, rowWord } from './columns.tsx';
import {
  type CellPosition,
  draftRows,
  type GridRow,
  inRange,
  moveFocus,
  NOT_IN_THE_LOG,
  nextOrder,
  type SeenRows,
  SORT_COLUMNS,
  type SortColumn,
  wentUp,
} from './grid-model.ts';
import { useGridSelection } from './grid-selection.ts';
import { RowPages, type RowSource } from './row-pages.ts';

const ROW_HEIGHT = 26;
/** Copying goes through memory and the clipboard; more than this is an export. */
const COPY_LIMIT = 10_000;
const NO_ROWS: RowSource = draftRows([]);

/**
 * The records as a WAI-ARIA grid with one tab stop. Only the rows on the screen exist, and the row that holds the tab stop: focus
 * is never lost by scrolling away from it.
 */
export function RecordsGrid() {
  const { source: querySource, order, query, summary, reveal, moved, chip, querying } = useSession();
  const drafts = useDrafts((state) => state.drafts);
  const draftSource = useMemo(() => draftRows([...drafts.values()]), [drafts]);
  const source = chip === 'drafts' ? draftSource : (querySource ?? NO_ROWS);
  const version = useSyncExternalStore(source.subscribe, () => source.version);
  const { range, column: selectedColumn } = useGridSelection();

  const scroller = useRef<HTMLDivElement>(null);
  const root = useRef<HTMLDivElement>(null);
  const { total } = source;
  const rows = useVirtualRows(scroller, total, ROW_HEIGHT);
  const { first, last } = rows;

  const [active, setActive] = useState<CellPosition>({ row: 0, column: 0 });
  const focusWanted = useRef(false);
  const selectWanted = useRef<number | null>(null);
  const shownReveal = useRef(0);
  const activeRow = Math.min(active.row, total - 1);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the source changes in place, its version says so
  useEffect(() => source.want(first, last, Math.max(0, activeRow)), [source, first, last, activeRow, version, total]);

  // A row that was moved to is selected once it is here.
  useEffect(() => {
    const wanted = selectWanted.current;
    if (wanted === null) return;
    const row = source.get(wanted);
    if (!row) return;
    selectWanted.current = null;
    if (row.row === NOT_IN_THE_LOG) void selectDraftRow(row.id!, wanted);
    else if (row.row === null) selectProvisional({ id: (row.id ?? row.claimedId)!, offset: row.offset }, wanted);
    else selectRow(row.row, wanted);
  });

  useEffect(() => {
    if (!reveal || reveal.serial === shownReveal.current || reveal.position >= total) return;
    shownReveal.current = reveal.serial;
    setActive((cell) => ({ row: reveal.position, column: cell.column }));
    useGridSelection.setState({ range: { anchor: reveal.position, head: reveal.position }, column: null });
    if (reveal.position < rows.map.firstRow || reveal.position + 1 > rows.map.firstRow + rows.map.wholeRows) {
      rows.center(reveal.position);
    }
    // The cell that has the focus may leave the screen, and would take the focus with it.
    if (reveal.focus || root.current?.querySelector('[data-active]') === document.activeElement) {
      focusWanted.current = true;
    }
  }, [reveal, total, rows]);

  // Before the browser paints: the rows of the new list would show in the wrong place for a frame.
  const shownMoved = useRef(0);
  const { map, shift } = rows;
  useLayoutEffect(() => {
    if (!moved || moved.serial === shownMoved.current) return;
    shownMoved.current = moved.serial;
    const { top, selected } = moved;
    // What is selected keeps its place, if it is on the screen; else what is uppermost.
    const sees = selected !== null && selected.from >= map.firstRow && selected.from <= map.lastRow;
    const kept = sees ? selected : top;
    if (kept && kept.to !== kept.from) shift(kept.to - kept.from);
    if (selected === null) return;
    const position = selected.to;
    setActive((cell) => (cell.row < 0 ? cell : { row: position, column: cell.column }));
    useGridSelection.setState({ range: { anchor: position, head: position }, column: null });
    if (root.current?.querySelector('[data-active]') === document.activeElement) focusWanted.current = true;
  }, [moved, map, shift]);

  useLayoutEffect(() => {
    if (!focusWanted.current) return;
    const cell = root.current?.querySelector<HTMLElement>('[data-active]');
    if (!cell) return;
    focusWanted.current = false;
    cell.focus({ preventScroll: true });
  });

  // For the log map: which parts of the file are on the screen.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the source changes in place, its version says so
  useEffect(() => {
    const timer = setTimeout(() => {
      const visibleRanges: ByteRange[] = [];
      for (let position = first; position <= last; position++) {
        const row = source.get(position);
        if (!row || row.row === NOT_IN_THE_LOG) continue;
        const from = Number(row.offset);
        visibleRanges.push({ from, to: from + row.length });
      }
      const top = source === querySource ? source.get(first) : undefined;
      useSession.setState({
        visibleRanges,
        topRow: top ? { position: first, offset: top.offset } : null,
      });
    }, 60);
    return () => clearTimeout(timer);
  }, [source, querySource, first, last, version]);

  // Scrolling up leaves follow mode: what one reads must not run away.
  const following = summary?.following ?? false;
  const lastSeen = useRef<SeenRows>({ top: 0, total: 0, height: 0 });
  useEffect(() => {
    const seen = { top: rows.map.top, total, height: rows.viewportHeight };
    const up = wentUp(lastSeen.current, seen, ROW_HEIGHT);
    lastSeen.current = seen;
    if (up && following && last < total - 1) setFollow(false);
  });
  useEffect(() => {
    if (following && total > 0 && order.by === 'offset' && order.direction === 'ascending') rows.reveal(total - 1);
  }, [following, total, order, rows.reveal]);

  const moveTo = useCallback(
    (cell: CellPosition, extend: boolean) => {
      setActive(cell);
      focusWanted.current = true;
      if (cell.row >= 0) {
        // Whoever goes up to a row wants to read it, and it would run away with what is appended.
        if (following && cell.row < activeRow) setFollow(false);
        rows.reveal(cell.row);
        const before = useGridSelection.getState().range;
        useGridSelection.setState({
          range: extend && before ? { anchor: before.anchor, head: cell.row } : { anchor: cell.row, head: cell.row },
          column: null,
        });
        selectWanted.current = cell.row;
      }
    },
    [rows, following, activeRow],
  );

  const sortBy = (columnId: string) => {
    if (SORT_COLUMNS.includes(columnId)) setOrder(nextOrder(order, columnId as SortColumn));
  };

  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    const modifier = event.ctrlKey || event.metaKey;
    const header = activeRow === -1 || active.row === -1;
    if (event.key === ' ' || event.code === 'Space') {
      event.preventDefault();
      if (header) sortBy(COLUMNS[active.column]!.id!);
      else if (modifier) {
        useGridSelection.setState({ column: active.column, range: null });
        announce(`Column ${String(COLUMNS[active.column]!.header)} selected.`);
      } else {
        useGridSelection.setState({ range: { anchor: activeRow, head: activeRow }, column: null });
        announce(`Row ${activeRow + 1} selected.`);
      }
      return;
    }
    if (event.key === 'Enter' || event.key === 'F2') {
      event.preventDefault();
      if (header) sortBy(COLUMNS[active.column]!.id!);
      else {
        showTab('payload');
        focusEditor();
      }
      return;
    }
    if (modifier && event.key.toLowerCase() === 'a') {
      event.preventDefault();
      useGridSelection.setState({ range: { anchor: 0, head: total - 1 }, column: null });
      announce(`All ${formatCount(total)} rows selected.`);
      return;
    }
    if (modifier && event.key.toLowerCase() === 'c') {
      event.preventDefault();
      void copySelection(source, { row: activeRow, column: active.column });
      return;
    }
    if (event.key === 'Delete') {
      event.preventDefault();
      void beginDelete();
      return;
    }
    if (event.altKey) return;
    const to = moveFocus(
      header ? { row: -1, column: active.column } : { row: activeRow, column: active.column },
      event,
      {
        rows: total,
        columns: COLUMNS.length,
        pageRows: rows.map.wholeRows,
      },
    );
    if (!to) return;
    event.preventDefault();
    moveTo(to, event.shiftKey && to.row >= 0);
  };

  // The rows on the screen, and the one that holds the tab stop.
  const positions = useMemo(() => {
    const list: number[] = [];
    for (let position = first; position <= last; position++) list.push(position);
    if (activeRow >= 0 && total > 0 && (activeRow < first || activeRow > last)) list.push(activeRow);
    return list;
  }, [first, last, activeRow, total]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the source changes in place, its version says so
  const data = useMemo(
    (): GridRow[] =>
      positions.map((position) => {
        const row = source.get(position);
        return { position, row, draft: row?.id === undefined ? undefined : drafts.get(row.id) };
      }),
    [positions, source, drafts, version],
  );
  const sorting = useMemo((): SortingState => [{ id: order.by, desc: order.direction === 'descending' }], [order]);
  const table = useTable({
    features,
    columns: COLUMNS,
    data,
    manualSorting: true,
    state: { sorting },
    getRowId: (entry) => String(entry.position),
  });

  const behind = useSession(isBehind);
  const counting = summary?.phase === 'scanning' || behind || (query !== null && !query.complete);
  const readOnly = !(summary?.writing.on ?? false);
  const digits = useLongestId(data);
  const style = {
    '--id-width': idWidth(digits),
    '--grid-columns': GRID_COLUMNS,
    '--scrollbar': `${scrollbarWidth(scroller.current)}px`,
  } as CSSProperties;
  const cursorRow = useSession((state) => state.position);
  return (
    // biome-ignore lint/a11y/useSemanticElements: a table element cannot own rows that a scrolled layer positions
    <div
      className="grid"
      ref={root}
      role="grid"
      aria-label="Records"
      aria-rowcount={counting ? -1 : total + 1}
      aria-colcount={COLUMNS.length}
      aria-readonly={readOnly}
      aria-multiselectable="true"
      aria-busy={querying || (source instanceof RowPages && source.busy)}
      style={style}
      onKeyDown={onKeyDown}
    >
      {/* biome-ignore lint/a11y/useSemanticElements: see above */}
      <div className="grid-header" role="rowgroup">
        {table.getHeaderGroups().map((group) => (
          // biome-ignore lint/a11y/useSemanticElements: see above
          // biome-ignore lint/a11y/useFocusableInteractive: cells hold the focus
          <div key={group.id} className="grid-row" role="row" aria-rowindex={1}>
            {group.headers.map((header, column) => {
              const sorts = SORT_COLUMNS.includes(header.id);
              const isActive = active.row === -1 ? active.column === column : total === 0 && column === active.column;
              return (
                // biome-ignore lint/a11y/useSemanticElements: see above
                <div
                  key={header.id}
                  role="columnheader"
                  className={`grid-cell ${COLUMN_LAYOUT[column]!.className.replace('mono-cell', '')} ${sorts ? 'sortable' : ''}`}
                  aria-colindex={column + 1}
                  {...(sorts ? { 'aria-sort': order.by === header.id ? order.direction : 'none' } : {})}
                  {...(isActive ? { 'data-active': '', 'data-pane-entry': '' } : {})}
                  tabIndex={isActive ? 0 : -1}
                  onClick={() => {
                    setActive({ row: -1, column });
                    focusWanted.current = true;
                    sortBy(header.id);
                  }}
                  onKeyDown={undefined}
                >
                  {COLUMN_LAYOUT[column]!.short ? (
                    <>
                      <span className="where-wide">
                        <FlexRender header={header} />
                      </span>
                      <span className="where-narrow" aria-hidden="true">
                        {COLUMN_LAYOUT[column]!.short}
                      </span>
                    </>
                  ) : (
                    <FlexRender header={header} />
                  )}
                  {order.by === header.id ? (
                    <Icon name={order.direction === 'ascending' ? 'arrowUp' : 'arrowDown'} />
                  ) : null}
                </div>
              );
            })}
          </div>
        ))}
      </div>
      {/* biome-ignore lint/a11y/useSemanticElements: see above */}
      <div className="grid-body" role="rowgroup" ref={scroller} onScroll={rows.onScroll} tabIndex={-1}>
        {total === 0 ? <EmptyGrid /> : null}
        <div role="presentation" style={{ height: rows.spacerHeight }}>
          <div
            className="grid-sticky"
            role="presentation"
            style={{ height: Math.min(rows.viewportHeight, rows.spacerHeight) }}
          >
            {table.getRowModel().rows.map((tableRow) => {
              const { position, row, draft } = tableRow.original;
              const inside = position >= first && position <= last;
              // Out of the viewport, but not as far away as it stands in the list: a layer has its limits too.
              const top = inside
                ? rows.map.offsetOf(position)
                : position < first
                  ? -2 * ROW_HEIGHT
                  : rows.viewportHeight + ROW_HEIGHT;
              const selected = inRange(range, position);
              const word = rowWord({ row, draft });
              return (
                // biome-ignore lint/a11y/useSemanticElements: see above
                // biome-ignore lint/a11y/useFocusableInteractive: cells hold the focus
                <div
                  key={tableRow.id}
                  role="row"
                  className={[
                    'grid-row',
                    position % 2 === 1 ? 'odd' : '',
                    position === cursorRow ? 'current' : '',
                    row?.state ?? '',
                    selectedColumn === null ? '' : 'column-selected',
                  ].join(' ')}
                  aria-rowindex={position + 2}
                  aria-selected={selected}
                  aria-busy={row === undefined}
                  style={{ transform: `translateY(${top}px)` }}
                >
                  {tableRow.getAllCells().map((cell, column) => {
                    const isActive = position === activeRow && active.row !== -1 && column === active.column;
                    return (
                      // biome-ignore lint/a11y/useAriaPropsSupportedByRole: every cell of a grid may carry its column
                      // biome-ignore lint/a11y/noStaticElementInteractions: its role is one of a grid's, and the grid handles keys
                      // biome-ignore lint/a11y/useKeyWithClickEvents: see above
                      <div
                        key={cell.id}
                        role={column === 0 ? 'rowheader' : 'gridcell'}
                        className={`grid-cell ${COLUMN_LAYOUT[column]!.className}`}
                        aria-colindex={column + 1}
                        {...(selectedColumn === column ? { 'aria-selected': true } : {})}
                        {...(isActive ? { 'data-active': '', 'data-pane-entry': '' } : {})}
                        {...(column === 4 && row && word && word.tone !== 'good'
                          ? { 'aria-description': `offset ${formatOffset(row.offset)}, ${row.length} bytes` }
                          : {})}
                        tabIndex={isActive ? 0 : -1}
                        onClick={(event) => moveTo({ row: position, column }, event.shiftKey)}
                        onDoubleClick={() => {
                          showTab('payload');
                          focusEditor();
                        }}
                      >
                        <FlexRender cell={cell} />
                      </div>
                    );
                  })}
                </div>
              );
            })}
          </div>
        </div>
      </div>
    </div>
  );
}

/** The digits of the longest id shown so far in this collection: the columns never move back and forth while one scrolls. */
function useLongestId(data: readonly GridRow[]): number {
  const session = useSession((state) => state.session);
  const longest = useRef({ session, digits: 0 });
  if (longest.current.session !== session) longest.current = { session, digits: 0 };
  for (const { row } of data) {
    const digits = row?.id?.length ?? 'claims '.length + (row?.claimedId?.length ?? -'claims '.length);
    longest.current.digits = Math.max(longest.current.digits, digits);
  }
  return longest.current.digits;
}

function EmptyGrid() {
  const { summary, search, chip, querying, query, queryFailure, source } = useSession();
  if (queryFailure) return null;
  const failure = source instanceof RowPages ? source.failure : null;
  const working = querying || summary?.phase === 'scanning' || query?.complete === false;
  const [title, text] = failure
    ? ['The rows could not be read', 'They are still in the log; try again.']
    : chip === 'drafts'
      ? ['No drafts', 'Edits, new records and deletes are drafts until you write them.']
      : working
        ? ['Nothing yet', 'The pass over the log is still running.']
        : search.kind === 'filter'
          ? ['Nothing found', `No record here with ${search.words}.`]
          : chip === 'damaged'
            ? ['No damage', 'Every byte of this log is accounted for and sound.']
            : chip === 'live'
              ? ['No live records', 'In this view every id is deleted or unreadable.']
              : summary && !summary.log.exists
                ? ['No log', 'There is no payloads.log in this directory: nothing was ever stored, or it was removed.']
                : ['An empty log', 'Nothing was ever stored in this collection.'];
  return (
    // biome-ignore lint/a11y/useSemanticElements: see above
    // biome-ignore lint/a11y/useFocusableInteractive: the header cells hold the focus
    <div role="row" aria-rowindex={2}>
      {/* biome-ignore lint/a11y/useSemanticElements: see above */}
      {/* biome-ignore lint/a11y/useFocusableInteractive: see above */}
      <div role="gridcell" className="grid-empty" aria-colindex={1} aria-colspan={COLUMNS.length}>
        <h3>{title}</h3>
        <p>{text}</p>
        {failure ? (
          <button type="button" className="button" onClick={() => void refreshQuery()}>
            Try again
          </button>
        ) : null}
      </div>
    </div>
  );
}

/** A draft's row: the record it would replace, where the log has one, else the draft alone. */
async function selectDraftRow(id: string, position: number): Promise<void> {
  const { session, query } = useSession.getState();
  const base = useDrafts.getState().drafts.get(id)?.base;
  const found =
    session && query && base
      ? await call('records.locate', { session, query: query.name, target: { by: 'id', id } }).catch(() => null)
      : null;
  if (found?.row != null) selectRow(found.row, position);
  else selectDraft(id, position);
}

function scrollbarWidth(element: HTMLElement | null): number {
  return element ? element.offsetWidth - element.clientWidth : 0;
}

/** Rows of a list, also those that are not on the screen and not kept any more. */
async function rowsOf(source: RowSource, from: number, count: number): Promise<Row[]> {
  if (!(source instanceof RowPages)) {
    return Array.from({ length: count }, (_, index) => source.get(from + index)).filter((row) => row !== undefined);
  }
  const rows: Row[] = [];
  while (rows.length < count) {
    const rest = { from: from + rows.length, count: Math.min(PAGE_LIMIT, count - rows.length) };
    const page = await call('records.page', { session: source.session, query: source.query, ...rest });
    if (page.rows.length === 0) break;
    rows.push(...page.rows);
  }
  return rows;
}

/** Copies selected rows as tab-separated lines, or the cell that has the focus. */
async function copySelection(source: RowSource, active: CellPosition): Promise<void> {
  const { range } = useGridSelection.getState();
  const from = range ? Math.min(range.anchor, range.head) : active.row;
  const to = range ? Math.max(range.anchor, range.head) : active.row;
  const count = to - from + 1;
  if (count > COPY_LIMIT) {
    notify({
      tone: 'plain',
      text: `${formatCount(count)} rows are too many to copy. Export them instead (File, Export records).`,
    });
    return;
  }
  const cells = (row: Row | undefined): string[] => {
    if (!row) return [];
    return [
      row.id ?? '',
      formatOffset(row.offset),
      String(row.length),
      String(row.versions),
      row.verdict,
      makeVisible(row.preview),
    ];
  };
  try {
    const text =
      count === 1
        ? (cells(source.get(active.row))[active.column] ?? '')
        : (await rowsOf(source, from, count)).map((row) => cells(row).join('\t')).join('\n');
    await navigator.clipboard.writeText(text);
    announce(count === 1 ? 'Copied.' : `${count} rows copied.`);
  } catch {
    notify({ tone: 'danger', text: 'The clipboard refused the text.' });
  }
}
