import { useEffect, useState } from 'react';
import { isDamage, type Verdict } from '../../../core/segment.ts';
import { type ErrorValue, toErrorValue } from '../../../shared/errors.ts';
import type { Damage, Result, Summary } from '../../../shared/protocol.ts';
import { ErrorText } from '../../components/error-text.tsx';
import { formatBytes, formatCount, formatDuration, formatNoun, formatOffset } from '../../components/format.ts';
import { Icon } from '../../components/icon.tsx';
import { StateWord } from '../../components/state-word.tsx';
import { VisibleText } from '../../components/visible-text.tsx';
import { VERDICT_WORDS } from '../../components/words.ts';
import { call } from '../../connection/current.ts';
import { showDialog, showPage } from '../../state/application.ts';
import { goTo, walkDamage } from '../../state/go-to.ts';
import { showTab } from '../../state/selection.ts';
import { useSession } from '../../state/session-state.ts';
import { keyWords } from '../commands/commands.ts';
import { OutcomesTable } from './outcomes-table.tsx';

const DAMAGE_PER_PAGE = 50;

/** What is damaged, what each VelesDB makes of it, and the way to get it back, on one page. */
export function TriagePage() {
  const { summary, session } = useSession();
  if (!summary || !session) return null;
  const { log, counts, phase } = summary;
  const sound = counts.damaged === 0 && (summary.snapshot.state === 'valid' || summary.snapshot.state === 'absent');
  return (
    <main className="pane page-scroll" aria-label="Triage" data-pane="triage" tabIndex={-1}>
      <div className="page-body">
        <div className="page-title">
          <h1>Triage</h1>
          {phase === 'ready' ? (
            <span className={`word ${sound ? 'tone-good' : 'tone-danger'}`}>
              <Icon name={sound ? 'check' : 'cross'} />
              {sound ? 'This log is sound' : verdictWords(summary)}
            </span>
          ) : (
            <span className="muted">The scan is still running; figures grow.</span>
          )}
          <span className="spacer" />
          <button type="button" className="button" onClick={() => showDialog({ name: 'report' })}>
            Export the report…
          </button>
          <button type="button" className="button primary" onClick={() => showPage('recovery')}>
            Recover…
          </button>
        </div>
        <section className="figures" aria-label="Summary">
          <Figure name="log" value={formatBytes(log.bytes)} />
          <Figure name="records" value={formatCount(log.records)} />
          <Figure name="live in this view" value={formatCount(counts.live)} />
          <Figure name="legacy, without CRC" value={formatCount(log.legacy)} />
          <Figure
            name="damaged places"
            value={formatCount(counts.damaged)}
            tone={counts.damaged > 0 ? 'danger' : 'good'}
          />
          <Figure
            name="damaged bytes"
            value={formatCount(log.damagedBytes)}
            tone={log.damagedBytes > 0 ? 'danger' : 'good'}
          />
          <Figure name="scanned in" value={formatDuration(summary.scanMilliseconds)} />
        </section>
        <section aria-labelledby="outcomes">
          <h2 id="outcomes">What each VelesDB makes of it</h2>
          <OutcomesTable outcomes={summary.outcomes} />
        </section>
        <DamageTable session={session} summary={summary} />
        <SnapshotCheck session={session} summary={summary} />
      </div>
    </main>
  );
}

function verdictWords(summary: Summary): string {
  const { byVerdict } = summary.damage;
  const words = Object.entries(byVerdict)
    .filter(([verdict, count]) => isDamage(verdict as Verdict) && (count ?? 0) > 0)
    .map(([verdict, count]) => `${formatCount(count ?? 0)} × ${VERDICT_WORDS[verdict as Verdict].word}`);
  if (summary.snapshot.state === 'disagrees') words.push('snapshot disagrees');
  if (summary.snapshot.state === 'invalid') words.push('snapshot invalid');
  return words.join(', ');
}

function Figure({ name, value, tone }: { name: string; value: string; tone?: string }) {
  return (
    <div className="card figure">
      <div className={tone ? `value tone-${tone}` : 'value'}>{value}</div>
      <div className="name">{name}</div>
    </div>
  );
}

function DamageTable({ session, summary }: { session: string; summary: Summary }) {
  const [from, setFrom] = useState(0);
  const [page, setPage] = useState<Result<'damage.list'> | null>(null);
  const [failure, setFailure] = useState<ErrorValue | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new revision is what makes the old answer stale
  useEffect(() => {
    const controller = new AbortController();
    call('damage.list', { session, from, count: DAMAGE_PER_PAGE }, { signal: controller.signal }).then(
      (result) => {
        setPage(result);
        setFailure(null);
      },
      (thrown: unknown) => {
        const error = toErrorValue(thrown);
        if (error.code !== 'CANCELLED') setFailure(error);
      },
    );
    return () => controller.abort();
  }, [session, from, summary.revision]);
  return (
    <section aria-labelledby="damage">
      <div className="page-title">
        <h2 id="damage">Damage</h2>
        <span className="spacer" />
        <button type="button" className="button small" onClick={() => void walkDamage(-1)}>
          Previous <kbd>{keyWords('Shift+F8')}</kbd>
        </button>
        <button type="button" className="button small" onClick={() => void walkDamage(1)}>
          Next <kbd>{keyWords('F8')}</kbd>
        </button>
      </div>
      {failure ? <ErrorText error={failure} title="The list of damage could not be read" /> : null}
      {page?.total === 0 ? (
        <p className="muted">No damage: every byte of this log is accounted for and sound.</p>
      ) : null}
      {page && page.total > 0 ? (
        <div className="card scroll-x">
          <table className="table">
            <thead>
              <tr>
                <th scope="col">Offset</th>
                <th scope="col">Verdict</th>
                <th scope="col">Id</th>
                <th scope="col" className="number">
                  Bytes
                </th>
                <th scope="col">What happened</th>
              </tr>
            </thead>
            <tbody>
              {page.damage.map((damage) => (
                <DamageRow key={damage.row} damage={damage} />
              ))}
            </tbody>
          </table>
        </div>
      ) : null}
      {page && page.total > DAMAGE_PER_PAGE ? (
        <div className="row-of-buttons">
          <button
            type="button"
            className="button small"
            disabled={from === 0}
            onClick={() => setFrom(Math.max(0, from - DAMAGE_PER_PAGE))}
          >
            Earlier
          </button>
          <span className="muted">
            {formatCount(from + 1)} – {formatCount(Math.min(page.total, from + DAMAGE_PER_PAGE))} of{' '}
            {formatCount(page.total)}
          </span>
          <button
            type="button"
            className="button small"
            disabled={from + DAMAGE_PER_PAGE >= page.total}
            onClick={() => setFrom(from + DAMAGE_PER_PAGE)}
          >
            Later
          </button>
        </div>
      ) : null}
    </section>
  );
}

function DamageRow({ damage }: { damage: Damage }) {
  const show = () => {
    showPage('records');
    showTab('repair');
    void goTo({ by: 'row', row: damage.row }, { focus: true });
  };
  return (
    <tr>
      <td>
        <button
          type="button"
          className="count-button mono"
          onClick={show}
          aria-label={`Show the damage at ${formatOffset(damage.offset)}`}
        >
          {formatOffset(damage.offset)}
        </button>
      </td>
      <td>
        <StateWord word={VERDICT_WORDS[damage.verdict]} />
        {damage.inFlight ? <div className="hint">being written</div> : null}
      </td>
      <td className="mono">{damage.id ?? (damage.claimedId === undefined ? '–' : `claims ${damage.claimedId}`)}</td>
      <td className="number">{formatCount(damage.length)}</td>
      <td>
        <VisibleText text={damage.explanation} />
        {damage.hint ? (
          <div className="hint">
            <VisibleText text={damage.hint} />
          </div>
        ) : null}
      </td>
    </tr>
  );
}

function SnapshotCheck({ session, summary }: { session: string; summary: Summary }) {
  const { snapshot } = summary;
  const [page, setPage] = useState<Result<'snapshot.disagreements'> | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new revision is what makes the old answer stale
  useEffect(() => {
    if (snapshot.disagreements === 0) return;
    const controller = new AbortController();
    call('snapshot.disagreements', { session, from: 0, count: 100 }, { signal: controller.signal }).then(
      setPage,
      () => {},
    );
    return () => controller.abort();
  }, [session, snapshot.disagreements, summary.revision]);
  return (
    <section aria-labelledby="snapshot-check">
      <div className="page-title">
        <h2 id="snapshot-check">Snapshot against log</h2>
        <span className="spacer" />
        <button type="button" className="button small" onClick={() => showDialog({ name: 'snapshot' })}>
          {snapshot.state === 'absent' ? 'Snapshot…' : 'Rebuild or remove…'}
        </button>
      </div>
      <p className={snapshot.state === 'disagrees' || snapshot.state === 'invalid' ? 'tone-danger' : ''}>
        {snapshot.state === 'absent'
          ? 'There is no snapshot. VelesDB replays the whole log when it opens.'
          : snapshot.state === 'valid'
            ? `It agrees with the log: ${formatNoun(snapshot.entries ?? 0, 'entry', 'entries')} up to ${formatOffset(snapshot.walPosition ?? '0')}, ${formatBytes(snapshot.bytesSince)} of log behind it.`
            : snapshot.state === 'invalid'
              ? `It is not valid (${snapshot.reason ?? 'no reason given'}); VelesDB ignores it.`
              : snapshot.state === 'disagrees'
                ? `It disagrees with the log in ${formatNoun(snapshot.disagreements, 'place')}${snapshot.reason ? `: ${snapshot.reason}` : ''}. VelesDB believes it; removing it makes VelesDB replay the log.`
                : 'It was not compared with the log yet.'}
      </p>
      {page && snapshot.disagreements > 0 ? (
        <div className="card scroll-x">
          <table className="table">
            <thead>
              <tr>
                <th scope="col">Id</th>
                <th scope="col">What</th>
                <th scope="col">Log</th>
                <th scope="col">Snapshot</th>
              </tr>
            </thead>
            <tbody>
              {page.disagreements.map((entry) => (
                <tr key={`${entry.id ?? ''} ${entry.kind} ${entry.found ?? ''}`}>
                  <td className="mono">{entry.id ?? '–'}</td>
                  <td>{entry.text}</td>
                  <td className="mono">{entry.expected ?? '–'}</td>
                  <td className="mono">{entry.found ?? '–'}</td>
                </tr>
              ))}
            </tbody>
          </table>
          {page.total > page.disagreements.length ? (
            <p className="muted banner">
              and {formatCount(page.total - page.disagreements.length)} more, in the report
            </p>
          ) : null}
        </div>
      ) : null}
    </section>
  );
}
