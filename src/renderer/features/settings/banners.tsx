import type { ReactNode } from 'react';
import { formatNoun, formatOffset, percent } from '../../components/format.ts';
import { Icon, type IconName } from '../../components/icon.tsx';
import { VisibleText } from '../../components/visible-text.tsx';
import { showDialog, showPage, useApplication } from '../../state/application.ts';
import { moveFullTextAside, trimTail } from '../../state/maintenance.ts';
import { rescan, setWriting } from '../../state/session.ts';
import { useSession } from '../../state/session-state.ts';

/** What holds for the whole collection and asks for a decision, each with the thing to do about it. */
export function Banners() {
  const summary = useSession((state) => state.summary);
  const readOnly = useApplication((state) => state.info?.readOnly ?? false);
  const page = useApplication((state) => state.page);
  if (!summary) return null;
  const { damage, snapshot, lock, fullText, provisional, failure, writing, phase } = summary;
  const refusal = writing.refusal;
  const changed = [failure, refusal].find((error) => error && /^LOG_(SHRANK|REPLACED|CHANGED|GREW)$/.test(error.code));
  // The records' page says it in the place of the list, with what to do.
  const isSaidBelow = page === 'records' && failure !== null;
  return (
    <>
      {changed && !isSaidBelow ? (
        <Banner tone="danger" icon="warning" text={changed.message} next={changed.next}>
          <button type="button" className="button small" onClick={rescan}>
            Scan again
          </button>
        </Banner>
      ) : null}
      {provisional ? (
        <Banner
          tone="plain"
          icon="info"
          text={`List from the snapshot; ${percent(summary.progress.done, summary.progress.total)} % verified. Rows marked "Not yet verified" are read where the snapshot says, their CRC checked; whether the log holds a later version shows when the scan comes to them.`}
        />
      ) : null}
      {damage.tail && damage.inFlight ? (
        <Banner
          tone="plain"
          icon="info"
          text={`A record is being written at ${formatOffset(damage.tail.offset)}: a running VelesDB holds the lock.`}
        />
      ) : null}
      {damage.tail && !damage.inFlight ? (
        <Banner
          tone="warning"
          icon="scissors"
          text={
            damage.tail.verdict === 'zero-filled'
              ? `Zero-filled tail: the last ${formatNoun(damage.tail.length, 'byte')} are zeros, from ${formatOffset(damage.tail.offset)}. Writing behind them would lose what is written.`
              : `Torn tail: the writer stopped ${formatNoun(damage.tail.length, 'byte')} into a record, at ${formatOffset(damage.tail.offset)}. Writing behind it would lose what is written.`
          }
        >
          <button type="button" className="button small" disabled={readOnly} onClick={() => void trimTail()}>
            Trim the tail
          </button>
        </Banner>
      ) : null}
      {snapshot.state === 'disagrees' ? (
        <Banner
          tone="danger"
          icon="warning"
          text={`The snapshot disagrees with the log in ${formatNoun(snapshot.disagreements, 'place')}: VelesDB believes the snapshot and may serve wrong payloads.`}
        >
          <button type="button" className="button small" onClick={() => showPage('triage')}>
            Look closer
          </button>
        </Banner>
      ) : null}
      {snapshot.state === 'invalid' ? (
        <Banner
          tone="warning"
          icon="warning"
          text={`The snapshot is not valid (${snapshot.reason ?? 'no reason given'}): VelesDB ignores it and replays the whole log.`}
        >
          <button type="button" className="button small" onClick={() => showDialog({ name: 'snapshot' })}>
            Rebuild or remove…
          </button>
        </Banner>
      ) : null}
      {lock.held ? (
        <Banner
          tone="plain"
          icon="lock"
          text={`${lock.holder ?? 'Another process'} holds the lock of this database. Looking is safe; writing is refused while it runs.`}
        />
      ) : null}
      {fullText.stale ? (
        <Banner
          tone="warning"
          icon="warning"
          text="VelesDB trusts bm25.snapshot: after these changes its full-text search is stale until the index is rebuilt."
        >
          <button type="button" className="button small" disabled={readOnly} onClick={() => void moveFullTextAside()}>
            Move the index aside
          </button>
        </Banner>
      ) : null}
      {writing.on ? (
        <Banner
          tone="draft"
          icon="lock"
          text="Writing is on: Velescope holds the lock, and no VelesDB can open this database."
        >
          <button type="button" className="button small" onClick={() => void setWriting(false)}>
            Turn writing off
          </button>
        </Banner>
      ) : null}
      {phase === 'failed' && failure && !changed && !isSaidBelow ? (
        <Banner tone="danger" icon="cross" text={failure.message} next={failure.next}>
          <button type="button" className="button small" onClick={rescan}>
            Scan again
          </button>
        </Banner>
      ) : null}
    </>
  );
}

function Banner(props: {
  tone: 'plain' | 'warning' | 'danger' | 'draft';
  icon: IconName;
  text: string;
  next?: string | undefined;
  children?: ReactNode;
}) {
  return (
    <div className={`banner ${props.tone}`}>
      <Icon name={props.icon} className={props.tone === 'plain' ? 'tone-muted' : `tone-${props.tone}`} />
      <p>
        <VisibleText text={props.text} />
        {props.next ? <span className="muted"> {props.next}</span> : null}
      </p>
      {props.children}
    </div>
  );
}
