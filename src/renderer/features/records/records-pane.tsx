import { ErrorText } from '../../components/error-text.tsx';
import { formatCount, formatNoun, percent } from '../../components/format.ts';
import { useDrafts } from '../../state/drafts.ts';
import { applySearch } from '../../state/go-to.ts';
import { cancelSearch, isBehind, refreshQuery, setChip } from '../../state/records-list.ts';
import { openCollection, rescan } from '../../state/session.ts';
import { type Chip, useSession } from '../../state/session-state.ts';
import { DatabaseOverview } from '../directory/database-overview.tsx';
import { LogMap } from '../logmap/log-map.tsx';
import { SearchBox } from '../search/search-box.tsx';
import { RecordsGrid } from './records-grid.tsx';

/** The centre: the map of the log, filters, and the grid; or what and why where the collection does not open. */
export function RecordsPane() {
  const { collection, session, failure, opening, database } = useSession();
  if (!collection) {
    return (
      <main className="pane records-pane" aria-label="Records" data-pane="records" tabIndex={-1}>
        <h1 className="visually-hidden">Records</h1>
        <DatabaseOverview />
      </main>
    );
  }
  if (failure || !session) {
    return (
      <main className="pane records-pane" aria-label="Records" data-pane="records" tabIndex={-1} aria-busy={opening}>
        {failure ? (
          <div className="failure">
            <h1>{session ? 'The log is not what it was' : 'This collection cannot be opened'}</h1>
            <ErrorText error={failure} />
            <div className="row-of-buttons">
              <button
                type="button"
                className="button primary"
                onClick={() => (session ? rescan() : database && void openCollection(database, collection))}
              >
                {session ? 'Scan again' : 'Try again'}
              </button>
            </div>
          </div>
        ) : (
          <div className="detail-empty">
            <p>Opening…</p>
          </div>
        )}
      </main>
    );
  }
  return (
    <main className="pane records-pane" aria-label="Records" data-pane="records" tabIndex={-1}>
      <h1 className="visually-hidden">Records</h1>
      <LogMap />
      <Filters />
      <RecordsGrid />
    </main>
  );
}

function Filters() {
  const { chip, search, summary, queryFailure: failure } = useSession();
  // What broke is said above the window, and the list is made when it is back.
  const queryFailure = failure?.code === 'DISCONNECTED' ? null : failure;
  const drafts = useDrafts((state) => state.drafts.size);
  const counts = summary?.counts;
  const chips: readonly { chip: Chip; label: string; count: number | undefined }[] = [
    { chip: 'all', label: 'All', count: counts?.all },
    { chip: 'live', label: 'Live', count: counts?.live },
    { chip: 'damaged', label: 'Damaged', count: counts?.damaged },
    { chip: 'drafts', label: 'Drafts', count: drafts },
  ];
  return (
    <div className="filters">
      <SearchBox />
      <fieldset className="chips" aria-label="Filter">
        {chips.map((entry) => (
          <button
            key={entry.chip}
            type="button"
            className="chip"
            aria-pressed={chip === entry.chip}
            onClick={() => setChip(entry.chip)}
          >
            {entry.label} {entry.count === undefined ? '' : formatCount(entry.count)}
          </button>
        ))}
      </fieldset>
      {search.kind === 'problem' ? (
        <p className="search-problem tone-danger" id="search-problem">
          {search.message}
        </p>
      ) : null}
      <ListNote />
      {queryFailure ? (
        <div className="search-problem">
          <ErrorText error={queryFailure} title="The list could not be made" />
        </div>
      ) : null}
    </div>
  );
}

/** What the list holds while it does not hold all: a search that runs or was stopped, a sort, a scan that has not come to the end. */
function ListNote() {
  const { search, summary, query, querying, chip } = useSession();
  const behind = useSession(isBehind);
  if (!query || chip === 'drafts') return null;
  const searching = search.kind === 'filter';
  const sorting = querying && !searching;
  if (!searching && !sorting && !behind) return null;
  const runs = searching && (querying || !query.complete);
  return (
    <p className="search-problem muted">
      {searching ? (
        <>
          {runs ? 'Searching: ' : query.stopped ? 'Stopped: ' : ''}
          {formatNoun(query.total, 'row')} with {search.words}
          {query.stopped ? ' up to where it was stopped' : ''}
          {query.error ? <span className="tone-danger"> · {query.error.message}</span> : null}
        </>
      ) : sorting ? (
        'Sorting…'
      ) : null}
      {behind ? (
        <>
          {searching || sorting ? ' · ' : ''}
          {summary?.phase === 'scanning'
            ? `${percent(summary.progress.done, summary.progress.total)} % of the log is scanned, the rest follows`
            : 'the rows scanned since follow'}
        </>
      ) : null}{' '}
      {query.stopped ? (
        <button type="button" className="button small" onClick={() => void refreshQuery()}>
          Search again
        </button>
      ) : null}{' '}
      {sorting ? (
        <button type="button" className="button small" onClick={cancelSearch}>
          Stop
        </button>
      ) : null}
      {searching ? (
        <button type="button" className="button small" onClick={() => applySearch('')}>
          Clear
        </button>
      ) : null}
    </p>
  );
}
