import type { Collection } from '../../../shared/protocol.ts';
import { formatBytes, formatNoun } from '../../components/format.ts';
import { Icon } from '../../components/icon.tsx';
import { makeVisible, VisibleText } from '../../components/visible-text.tsx';
import { HEALTH_ICONS } from '../../components/words.ts';
import { useApplication } from '../../state/application.ts';
import { selectCollection } from '../../state/directory.ts';
import { useSession } from '../../state/session-state.ts';

/** The database's collections, each with its badge, kind, size, and why VelesDB would not list it. */
export function Collections() {
  const database = useApplication((state) => state.database);
  const current = useSession((state) => state.collection?.collection);
  if (!database) return null;
  return (
    <nav className="pane collections" aria-label="Collections" data-pane="collections" tabIndex={-1}>
      <h2>Collections</h2>
      {database.collections.length === 0 ? (
        <p className="muted">
          No collection in this directory: none of its folders holds a config.json, a payloads.log or a
          payloads.snapshot.
        </p>
      ) : (
        <ul>
          {database.collections.map((collection, index) => (
            <li key={collection.collection}>
              <CollectionEntry
                collection={collection}
                current={collection.collection === current}
                entry={current === undefined ? index === 0 : collection.collection === current}
              />
            </li>
          ))}
        </ul>
      )}
    </nav>
  );
}

const CHANGED: Collection['health'] = { state: 'failed', word: 'changed', records: null, damage: 0 };

/** A number stays with its unit where the line is broken. */
const NO_BREAK = '\u00a0';

function CollectionEntry(props: { collection: Collection; current: boolean; entry: boolean }) {
  const { collection, current, entry } = props;
  // What was found out of it holds no more once its log was cut or exchanged while it is open.
  const isStale = useSession((state) => current && state.session !== null && state.failure !== null);
  const health = isStale ? CHANGED : collection.health;
  const { icon, tone } = HEALTH_ICONS[health.state];
  const kind = collection.kind === 'unknown' ? 'kind unknown' : collection.kind;
  const facts = [
    collection.recovered ? 'recovered copy' : kind,
    health.records === null ? null : formatNoun(health.records, 'record'),
    health.records === 0 ? null : formatBytes(collection.logBytes),
  ].filter((fact) => fact !== null);
  return (
    <button
      type="button"
      className="collection"
      title={makeVisible(collection.name)}
      aria-current={current}
      {...(entry ? { 'data-pane-entry': '' } : {})}
      onClick={() => void selectCollection(collection.collection)}
    >
      <span className="line">
        <VisibleText className="name" isName text={collection.name} />
        <span className={`badge tone-${tone}`} title={health.word}>
          <Icon name={icon} />
          <span className="name">{health.state === 'unknown' ? 'scanning' : health.word}</span>
        </span>
      </span>
      <span className="facts">
        {facts.map((fact) => (
          <span key={fact}>{fact.replaceAll(' ', NO_BREAK)}</span>
        ))}
      </span>
      {collection.recovered ? (
        <span className="note">Made by a recovery. VelesDB has it once it is put in place of the original.</span>
      ) : null}
      {collection.problem ? (
        <span className="problem">
          <VisibleText text={collection.problem.message} />
        </span>
      ) : null}
    </button>
  );
}
