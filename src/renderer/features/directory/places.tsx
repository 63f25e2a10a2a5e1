import { useCallback, useEffect, useState } from 'react';
import { type ErrorValue, toErrorValue } from '../../../shared/errors.ts';
import type { Place, Result } from '../../../shared/protocol.ts';
import { ErrorText } from '../../components/error-text.tsx';
import { Icon } from '../../components/icon.tsx';
import { VisibleText } from '../../components/visible-text.tsx';
import { call } from '../../connection/current.ts';
import { openPlace } from '../../state/directory.ts';

const KIND_WORDS: Readonly<Record<Place['kind'], string>> = { root: 'database', collection: 'collection', folder: '' };

/** Browser door: folders under the served directory. Places are opaque names; there is nothing to type a path into. */
export function PlacesPicker() {
  const [listing, setListing] = useState<Result<'directory.places'> | null>(null);
  const [failure, setFailure] = useState<ErrorValue | null>(null);
  const look = useCallback(async (place: string | null) => {
    try {
      setListing(await call('directory.places', { place }));
      setFailure(null);
    } catch (thrown) {
      setFailure(toErrorValue(thrown));
    }
  }, []);
  useEffect(() => void look(null), [look]);

  if (failure) {
    return (
      <div>
        <ErrorText error={failure} title="The folders cannot be listed" />
        <button type="button" className="button" onClick={() => void look(null)}>
          Try again
        </button>
      </div>
    );
  }
  if (!listing) return <p className="muted">Reading folders…</p>;
  return (
    <section aria-label="Folders">
      <div className="toolbar">
        <button
          type="button"
          className="button small"
          disabled={listing.parent === null}
          onClick={() => void look(listing.parent)}
        >
          <Icon name="arrowUp" /> Up
        </button>
        <strong>
          <VisibleText text={listing.name} />
        </strong>
      </div>
      {listing.places.length === 0 ? <p className="muted">No folders here.</p> : null}
      <ul className="place-list">
        {listing.places.map((place) => (
          <li key={place.place}>
            <button
              type="button"
              className="place"
              onClick={() => void (place.kind === 'folder' ? look(place.place) : openPlace(place.place))}
            >
              <Icon name="folder" className={place.kind === 'folder' ? 'tone-muted' : 'tone-good'} />
              <VisibleText text={place.name} />
              <span className="kind">
                {KIND_WORDS[place.kind]}
                {place.kind === 'folder' ? <Icon name="chevronRight" /> : null}
              </span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
