import { Icon } from '../../components/icon.tsx';
import { VisibleText } from '../../components/visible-text.tsx';
import { useApplication } from '../../state/application.ts';
import { chooseDirectory, openPlace } from '../../state/directory.ts';
import { keyWords } from '../commands/commands.ts';
import { PlacesPicker } from './places.tsx';

/** The first page: open a directory. */
export function Welcome({ over }: { over: boolean }) {
  const { recents, info, opening } = useApplication();
  const browser = info?.door === 'browser';
  return (
    <main className="welcome" aria-busy={opening}>
      <div className="welcome-body">
        <div>
          <h1>Velescope</h1>
          <p className="muted">
            Opens a VelesDB data directory: every record of its payload logs, what is damaged, what each VelesDB would
            make of it, and how to get it back. Looking changes nothing.
          </p>
        </div>
        {browser ? (
          <PlacesPicker />
        ) : (
          <div className={over ? 'drop-zone over' : 'drop-zone'}>
            <p>Drop a database or a collection folder here, or</p>
            <button type="button" className="button primary" onClick={() => void chooseDirectory()}>
              <Icon name="folder" /> Open a directory… <kbd>{keyWords('Mod+O')}</kbd>
            </button>
          </div>
        )}
        {recents.length > 0 ? (
          <section aria-labelledby="recents">
            <h2 id="recents">Recent</h2>
            <ul className="place-list">
              {recents.map((recent) => (
                <li key={recent.place}>
                  <button type="button" className="place" onClick={() => void openPlace(recent.place)}>
                    <Icon name="folder" className="tone-muted" />
                    <VisibleText text={recent.name} />
                    <span className="kind mono">
                      <VisibleText text={recent.path} />
                    </span>
                  </button>
                </li>
              ))}
            </ul>
          </section>
        ) : null}
      </div>
    </main>
  );
}
