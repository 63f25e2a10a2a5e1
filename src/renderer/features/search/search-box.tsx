import { useEffect, useState } from 'react';
import { Icon } from '../../components/icon.tsx';
import { applySearch } from '../../state/go-to.ts';
import { cancelSearch } from '../../state/records-list.ts';
import { useSession } from '../../state/session-state.ts';
import { keyWords } from '../commands/commands.ts';
import { focusGrid } from '../commands/focus.ts';

/** One box for an id, an offset, text or a path. Enter applies it; Escape stops a running search, then clears, then leaves. */
export function SearchBox() {
  const { searchText, search, query, querying } = useSession();
  const [text, setText] = useState(searchText);
  useEffect(() => setText(searchText), [searchText]);
  const running = querying || (query !== null && !query.complete);
  return (
    <search className="search-box">
      <input
        id="search"
        type="text"
        className="input"
        aria-label="Find an id, an offset, text, or $.path = value"
        placeholder="Find an id, an offset, text, or $.path = value"
        spellCheck={false}
        autoComplete="off"
        aria-invalid={search.kind === 'problem'}
        {...(search.kind === 'problem' ? { 'aria-describedby': 'search-problem' } : {})}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          if (event.target.value === '') applySearch('');
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter') applySearch(text);
          else if (event.key === 'ArrowDown') focusGrid();
          else if (event.key !== 'Escape') return;
          else if (running && search.kind === 'filter') cancelSearch();
          else if (text !== '') applySearch('');
          else focusGrid();
          event.preventDefault();
        }}
      />
      <span className="inside">
        {running && search.kind === 'filter' ? (
          <button type="button" className="button small" onClick={cancelSearch}>
            Stop
          </button>
        ) : text !== '' ? (
          <button
            type="button"
            className="button quiet small icon-only"
            aria-label="Clear the search"
            onClick={() => applySearch('')}
          >
            <Icon name="cross" />
          </button>
        ) : (
          <kbd>{keyWords('Mod+F')}</kbd>
        )}
      </span>
    </search>
  );
}
