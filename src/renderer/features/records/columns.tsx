import { createColumnHelper, rowSortingFeature, tableFeatures } from '@tanstack/react-table';
import { formatCount, formatNoun, formatOffset, formatSize } from '../../components/format.ts';
import { StateWord } from '../../components/state-word.tsx';
import { VisibleText } from '../../components/visible-text.tsx';
import { DRAFT_CONFLICT_WORD, DRAFT_DELETE_WORD, DRAFT_WORD, stateWord, type Word } from '../../components/words.ts';
import { lookOf } from '../../state/draft-looks.ts';
import { type GridRow, NOT_IN_THE_LOG } from './grid-model.ts';

/** Sorting alone: filters, pages and selection are the engine's and the grid's, not a table's in memory. */
export const features = tableFeatures({ rowSortingFeature });
const helper = createColumnHelper<typeof features, GridRow>();

/** A row's status in the grid: a draft first, for it is what will be. */
export function rowWord({ row, draft }: Pick<GridRow, 'row' | 'draft'>): Word | null {
  // What is not verified says so, whatever is to become of it.
  if (row?.provisional) return stateWord(row);
  // A draft belongs to the record it would replace, not to the older versions and deletes of its id.
  if (draft && (!row || row.state === 'live' || draft.base?.offset === row.offset)) {
    if (draft.conflict) return DRAFT_CONFLICT_WORD;
    return draft.action === 'delete' ? DRAFT_DELETE_WORD : DRAFT_WORD;
  }
  return row ? stateWord(row) : null;
}

function LoadingBar() {
  return (
    <span className="loading-bar">
      <span className="visually-hidden">loading</span>
    </span>
  );
}

export const COLUMNS = helper.columns([
  helper.accessor((entry) => entry.row?.id ?? entry.row?.claimedId ?? '', {
    id: 'id',
    header: 'Id',
    cell: ({ row: { original } }) => {
      const { row } = original;
      if (row?.id !== undefined) return <span className="cut">{row.id}</span>;
      if (row?.claimedId !== undefined) {
        return <span className="cut muted">claims {row.claimedId}</span>;
      }
      return row ? <span className="muted">–</span> : <LoadingBar />;
    },
  }),
  helper.accessor((entry) => entry.row?.offset ?? '', {
    id: 'offset',
    header: 'Offset',
    cell: ({ row: { original } }) =>
      original.row ? (
        <span className="muted">
          {original.draft?.base === null && original.row.row === NOT_IN_THE_LOG
            ? 'new'
            : formatOffset(original.row.offset)}
        </span>
      ) : null,
  }),
  helper.accessor((entry) => entry.row?.length ?? 0, {
    id: 'size',
    header: 'Size',
    cell: ({ row: { original } }) =>
      original.row ? (
        <span title={`${formatCount(original.row.length)} bytes`}>{formatSize(original.row.length)}</span>
      ) : null,
  }),
  helper.accessor((entry) => entry.row?.versions ?? 0, {
    id: 'versions',
    header: 'Versions',
    cell: ({ row: { original } }) =>
      original.row && original.row.kind !== 'gap' && original.row.versions > 0
        ? formatCount(original.row.versions)
        : null,
  }),
  helper.accessor((entry) => rowWord(entry)?.word ?? '', {
    id: 'state',
    header: 'State',
    enableSorting: false,
    cell: ({ row: { original } }) => {
      const word = rowWord(original);
      return word ? <StateWord word={word} /> : null;
    },
  }),
  helper.accessor((entry) => entry.row?.preview ?? '', {
    id: 'preview',
    header: 'Payload',
    enableSorting: false,
    cell: ({ row: { original } }) => {
      const { row, draft } = original;
      if (!row) return null;
      if (draft && rowWord(original)?.tone === 'draft') {
        return <VisibleText className="cut" text={draft.action === 'delete' ? 'to be deleted' : lookOf(draft).head} />;
      }
      if (row.provisional === 'elsewhere') {
        return <span className="cut muted">the snapshot points elsewhere: no intact record of this id is here</span>;
      }
      if (row.kind === 'delete') return <span className="muted">deleted</span>;
      if (row.kind === 'gap') {
        return (
          <span className="cut muted">
            {formatNoun(row.length, 'byte')} {row.verdict === 'zero-filled' ? 'of zeros' : 'that are no record'}
          </span>
        );
      }
      return <VisibleText className="cut muted" text={row.preview} />;
    },
  }),
]);

/** Widths and looks of the columns, in their order; `short` is the header where the grid is narrow. */
export const COLUMN_LAYOUT: readonly { width: string; className: string; short?: string }[] = [
  { width: 'var(--id-width)', className: 'mono-cell' },
  { width: '5.4rem', className: 'mono-cell' },
  { width: 'var(--size-width)', className: 'mono-cell end' },
  { width: 'var(--versions-width)', className: 'mono-cell end', short: 'Ver.' },
  { width: '8.3rem', className: '' },
  { width: 'minmax(5rem, 1fr)', className: 'mono-cell' },
];
export const GRID_COLUMNS = COLUMN_LAYOUT.map((column) => column.width).join(' ');

/** Ids have one to twenty digits. The column is as wide as the longest id that was seen: what is over belongs to the payload. */
export function idWidth(digits: number): string {
  // The digits of the cells' font, in a grid whose header has another; and the padding on both sides.
  return `${Math.max(LEAST_DIGITS, digits) * 0.46 + 1.4}rem`;
}
const LEAST_DIGITS = 5;
