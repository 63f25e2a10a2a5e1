import { formatNoun } from '../../components/format.ts';
import { VisibleText } from '../../components/visible-text.tsx';
import { showDialog, showPage, useApplication } from '../../state/application.ts';
import { useDrafts } from '../../state/drafts.ts';
import { useSession } from '../../state/session-state.ts';
import { keyWords } from '../commands/commands.ts';
import { MainMenu } from '../commands/main-menu.tsx';

/** Where one is, and what is done most. */
export function Header() {
  const { database, info, page } = useApplication();
  const { collection, session } = useSession();
  const drafts = useDrafts((state) => state.drafts.size);
  return (
    <header className="header">
      <MainMenu />
      <span className="brand">Velescope</span>
      {database ? (
        <nav className="crumbs" aria-label="Where you are">
          <ol>
            <li title={database.path}>
              <VisibleText text={database.name} />
            </li>
            {collection && database.kind === 'root' ? (
              <li>
                <VisibleText isName text={collection.name} />
              </li>
            ) : null}
            {session && page !== 'records' ? <li>{page}</li> : null}
          </ol>
        </nav>
      ) : null}
      {info?.readOnly ? <span className="badge tone-muted">read-only</span> : null}
      <span className="spacer" />
      <div className="header-actions">
        <button type="button" className="button" onClick={() => showDialog({ name: 'palette' })}>
          <kbd>{info ? keyWords('Mod+K') : ''}</kbd> Commands
        </button>
        {session ? (
          <>
            <button
              type="button"
              className="button"
              aria-pressed={page === 'triage'}
              onClick={() => showPage(page === 'triage' ? 'records' : 'triage')}
            >
              Triage
            </button>
            <button
              type="button"
              className="button"
              disabled={info?.readOnly ?? false}
              onClick={() => showDialog({ name: 'snapshot' })}
            >
              Snapshot now
            </button>
            <button
              type="button"
              className={drafts > 0 ? 'button soft' : 'button'}
              disabled={drafts === 0}
              onClick={() => showDialog({ name: 'review' })}
            >
              {drafts === 0 ? 'No drafts' : `Review ${formatNoun(drafts, 'draft')}`}
            </button>
          </>
        ) : null}
      </div>
    </header>
  );
}
