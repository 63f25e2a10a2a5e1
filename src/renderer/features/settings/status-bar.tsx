import { VIEWS } from '../../../core/generation.ts';
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatNoun,
  formatOffset,
  percent,
} from '../../components/format.ts';
import { Icon } from '../../components/icon.tsx';
import { Menu, MenuChoice } from '../../components/menu.tsx';
import { Tip } from '../../components/tip.tsx';
import { DURABILITY_WORDS, VIEW_WORDS } from '../../components/words.ts';
import { showDialog, useApplication } from '../../state/application.ts';
import { useJobs } from '../../state/jobs.ts';
import { setDurability, setFollow, setView, setWriting } from '../../state/session.ts';
import { useSession } from '../../state/session-state.ts';

/** What holds for the whole session: the view, writing, durability, the snapshot, and what is going on. */
export function StatusBar() {
  const { summary, query, position, opening } = useSession();
  const readOnly = useApplication((state) => state.info?.readOnly ?? false);
  return (
    // biome-ignore lint/a11y/useAriaPropsSupportedByRole: the page's footer is a contentinfo landmark, and landmarks have names
    <footer className="statusbar" aria-label="Status" data-pane="status" tabIndex={-1}>
      {summary ? (
        <>
          <Menu
            trigger={
              <button type="button" className="status-button" data-pane-entry="">
                <span className="label">Reading as</span> {VIEW_WORDS[summary.view].short} <Icon name="chevronDown" />
              </button>
            }
          >
            <MenuChoice
              value={summary.view}
              onChange={(view) => void setView(view)}
              choices={VIEWS.map((view) => ({ value: view, label: VIEW_WORDS[view].short, hint: refusalHint(view) }))}
            />
          </Menu>
          <WritingSwitch />
          <Menu
            trigger={
              <button type="button" className="status-button" disabled={readOnly}>
                <span className="label">Durability</span> {summary.writing.durability} <Icon name="chevronDown" />
              </button>
            }
          >
            <MenuChoice
              value={summary.writing.durability}
              onChange={setDurability}
              choices={(['fsync', 'flush', 'none'] as const).map((value) => ({
                value,
                label: value,
                hint: DURABILITY_WORDS[value],
              }))}
            />
          </Menu>
          <button type="button" className="status-button" onClick={() => showDialog({ name: 'snapshot' })}>
            <span className="label">Snapshot</span> {snapshotWords()}
          </button>
          <button
            type="button"
            role="switch"
            className="status-button"
            aria-checked={summary.following}
            onClick={() => setFollow(!summary.following)}
          >
            <span className="label">Follow</span> <span className="switch" aria-hidden="true" />{' '}
            {summary.following ? 'on' : 'off'}
          </button>
        </>
      ) : null}
      <span className="spacer" />
      <Jobs />
      {summary && position !== null && query ? (
        <span className="label">
          Row {formatCount(position + 1)} of {formatCount(query.total)}
        </span>
      ) : null}
      <span className="label">{opening ? 'Opening…' : scanWords()}</span>
    </footer>
  );
}

function refusalHint(view: (typeof VIEWS)[number]): string {
  const outcome = useSession.getState().summary?.outcomes[view];
  if (outcome && !outcome.opens)
    return `Refuses this collection: ${outcome.error?.message ?? outcome.error?.kind ?? ''}`;
  return VIEW_WORDS[view].long;
}

function snapshotWords(): string {
  const snapshot = useSession.getState().summary?.snapshot;
  if (!snapshot) return '';
  switch (snapshot.state) {
    case 'absent':
      return 'none';
    case 'invalid':
      return 'invalid';
    case 'disagrees':
      return 'disagrees with the log';
    default:
      return snapshot.walPosition === null
        ? 'not checked yet'
        : `at ${formatOffset(snapshot.walPosition)}, ${formatBytes(snapshot.bytesSince)} behind`;
  }
}

function scanWords(): string {
  const summary = useSession.getState().summary;
  if (!summary) return '';
  const { phase, progress, log, scanMilliseconds } = summary;
  if (summary.provisional) return `List from the snapshot; ${percent(progress.done, progress.total)} % verified`;
  if (phase === 'scanning') return `Scanning ${percent(progress.done, progress.total)} %`;
  if (phase === 'checking') return `Checking payloads ${percent(progress.done, progress.total)} %`;
  if (phase === 'failed') return 'Scan failed';
  return `Scan complete: ${formatNoun(log.records, 'record')}, ${formatBytes(log.bytes)} in ${formatDuration(scanMilliseconds)}`;
}

function WritingSwitch() {
  const summary = useSession((state) => state.summary);
  const readOnly = useApplication((state) => state.info?.readOnly ?? false);
  if (!summary) return null;
  const { on, refusal } = summary.writing;
  const words = readOnly
    ? 'Velescope was started read-only.'
    : (refusal?.message ?? 'Off, nothing can be written; on, Velescope holds the lock of this database.');
  return (
    <Tip text={words}>
      <button
        type="button"
        role="switch"
        className="status-button"
        aria-checked={on}
        aria-disabled={readOnly}
        onClick={() => {
          if (!readOnly) void setWriting(!on);
        }}
      >
        <span className="label">Writing</span> <span className="switch" aria-hidden="true" /> {on ? 'on' : 'off'}
        {refusal && !on ? <Icon name="lock" /> : null}
      </button>
    </Tip>
  );
}

function Jobs() {
  const jobs = useJobs((state) => state.jobs);
  if (jobs.length === 0) return null;
  return (
    <span className="jobs">
      {jobs.map((job) => (
        <span key={job.serial} className="job">
          {job.label}
          <progress aria-label={job.label} {...(job.total > 0 ? { value: job.done, max: job.total } : {})} />
          {job.total > 0 ? `${percent(job.done, job.total)} %` : ''}
          <button type="button" className="button small quiet" onClick={job.cancel} aria-label={`Cancel: ${job.label}`}>
            Cancel
          </button>
        </span>
      ))}
    </span>
  );
}
