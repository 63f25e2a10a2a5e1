import type { Collection } from '../../../shared/protocol.ts';
import { formatBytes, formatCount, formatNoun } from '../../components/format.ts';
import { Icon } from '../../components/icon.tsx';
import { VisibleText } from '../../components/visible-text.tsx';
import { HEALTH_ICONS } from '../../components/words.ts';
import { useApplication } from '../../state/application.ts';
import { selectCollection } from '../../state/directory.ts';
import { keyWords } from '../commands/commands.ts';
import { needsAttention, overviewOf } from './overview.ts';

/** Until a collection is chosen: how the database is as a whole, and which of its collections somebody should look at first. */
export function DatabaseOverview() {
  const database = useApplication((state) => state.database);
  if (!database) return null;
  const { collections } = database;
  const { scanned, records, bytes } = overviewOf(collections);
  const wanting = collections.filter(needsAttention);
  const isThrough = scanned === collections.length;
  return (
    <section className="overview" aria-labelledby="overview" aria-busy={!isThrough}>
      <h2 id="overview">
        <VisibleText text={database.name} />
      </h2>
      <p className="muted">
        {formatNoun(collections.length, 'collection')}, {formatBytes(bytes)} of logs,{' '}
        {isThrough
          ? formatNoun(records, 'record')
          : `${formatCount(scanned)} of ${formatCount(collections.length)} looked at so far`}
        .
      </p>
      {wanting.length > 0 ? (
        <>
          <h3>{formatNoun(wanting.length, 'collection')} to look at</h3>
          <ul className="place-list">
            {wanting.map((collection) => (
              <li key={collection.collection}>
                <Wanting collection={collection} />
              </li>
            ))}
          </ul>
        </>
      ) : isThrough && collections.length > 0 ? (
        <p className="word tone-good">
          <Icon name="check" /> No damage in any log, and no snapshot disagrees with its log.
        </p>
      ) : null}
      <p className="muted">
        Choose a collection on the left. <kbd>{keyWords('Mod+K')}</kbd> lists every command.
      </p>
    </section>
  );
}

/** One collection with what is wrong: to its triage, where it has been read. */
function Wanting({ collection }: { collection: Collection }) {
  const { health, problem, name } = collection;
  const { icon, tone } = HEALTH_ICONS[health.state];
  const show = async () => {
    await selectCollection(collection.collection);
    // One that VelesDB only passes over may hold a log without fault.
    if (health.state !== 'failed') useApplication.setState({ page: 'triage' });
  };
  return (
    <button type="button" className="place" onClick={() => void show()}>
      <Icon name={icon} className={`tone-${tone}`} />
      <span className="place-words">
        <VisibleText text={name} isName />
        {problem ? <VisibleText className="muted" text={problem.message} /> : null}
      </span>
      <span className={`kind tone-${tone}`}>{health.word}</span>
      <Icon name="chevronRight" />
    </button>
  );
}
