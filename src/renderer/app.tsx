import { Tooltip } from 'radix-ui';
import { type CSSProperties, type DragEvent, useEffect, useRef, useState } from 'react';
import { ErrorText } from './components/error-text.tsx';
import { LiveRegion } from './components/live-region.tsx';
import { Notices } from './components/notices.tsx';
import { Dialogs } from './features/commands/dialogs.tsx';
import { keepFocus } from './features/commands/kept-focus.ts';
import { useKeys } from './features/commands/use-keys.ts';
import { Collections } from './features/directory/collections.tsx';
import { Welcome } from './features/directory/welcome.tsx';
import { Detail } from './features/editor/detail.tsx';
import { RecordsPane } from './features/records/records-pane.tsx';
import { RecoveryPage } from './features/recovery/recovery-page.tsx';
import { Banners } from './features/settings/banners.tsx';
import { Header } from './features/settings/header.tsx';
import { LostBanner } from './features/settings/lost-banner.tsx';
import { StatusBar } from './features/settings/status-bar.tsx';
import { TriagePage } from './features/triage/triage-page.tsx';
import { useApplication } from './state/application.ts';
import { chooseDirectory, leaveDirectory, openDropped } from './state/directory.ts';
import { useSession } from './state/session-state.ts';

/** The window: one of its pages, and what lies over all of them. */
export function App() {
  useKeys();
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => keepFocus(root.current!), []);
  const { lost } = useApplication();
  const drop = useDrop();
  return (
    <Tooltip.Provider delayDuration={400}>
      <div className="window" ref={root} {...drop.handlers}>
        <Header />
        <section className="banners" aria-label="About this collection">
          {lost ? <LostBanner lost={lost} /> : null}
          <Banners />
        </section>
        <PageOfTheWindow over={drop.over} />
        <StatusBar />
        <Dialogs />
        <Notices />
        <LiveRegion />
      </div>
    </Tooltip.Provider>
  );
}

function PageOfTheWindow({ over }: { over: boolean }) {
  const { info, failure, database, page, detailWidth } = useApplication();
  const hasSession = useSession((state) => state.session !== null);
  if (failure) return <Failure />;
  if (!info) {
    return (
      <main className="welcome" aria-busy="true">
        <p className="muted">Connecting…</p>
      </main>
    );
  }
  if (!database) return <Welcome over={over} />;
  if (page !== 'records' && hasSession) {
    return (
      <div className="workspace page">
        <Collections />
        {page === 'triage' ? <TriagePage /> : <RecoveryPage />}
      </div>
    );
  }
  return (
    <div className="workspace" style={detailWidth === null ? {} : widthOf(detailWidth)}>
      <Collections />
      <RecordsPane />
      <Detail />
    </div>
  );
}

function widthOf(detailWidth: number): CSSProperties {
  return { '--detail-width': `${detailWidth}px` } as CSSProperties;
}

/** What and why and what to do: an empty list never means "failed". */
function Failure() {
  const { failure, info } = useApplication();
  if (!failure) return null;
  return (
    <main className="page-scroll">
      <div className="failure">
        <h1>{failure.title}</h1>
        <ErrorText error={failure.error} />
        <div className="row-of-buttons">
          {info ? (
            <>
              <button type="button" className="button primary" onClick={() => void chooseDirectory()}>
                Open another directory…
              </button>
              <button type="button" className="button" onClick={() => void leaveDirectory()}>
                Start page
              </button>
            </>
          ) : (
            <button type="button" className="button primary" onClick={() => window.location.reload()}>
              Try again
            </button>
          )}
        </div>
      </div>
    </main>
  );
}

/** A folder dropped anywhere on the window opens; nothing dropped is ever navigated to. */
function useDrop() {
  const [over, setOver] = useState(false);
  useEffect(() => {
    const refuse = (event: Event) => event.preventDefault();
    window.addEventListener('dragover', refuse);
    window.addEventListener('drop', refuse);
    return () => {
      window.removeEventListener('dragover', refuse);
      window.removeEventListener('drop', refuse);
    };
  }, []);
  return {
    over,
    handlers: {
      onDragEnter: () => setOver(true),
      onDragLeave: (event: DragEvent) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false);
      },
      onDrop: (event: DragEvent) => {
        event.preventDefault();
        setOver(false);
        openDropped(event.dataTransfer.files);
      },
    },
  };
}
