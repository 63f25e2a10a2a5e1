import { formatBytes, formatCount, formatOffset } from '../../components/format.ts';
import { Icon } from '../../components/icon.tsx';
import { Modal } from '../../components/modal.tsx';
import { useApplication } from '../../state/application.ts';
import { createSnapshot, removeSnapshot } from '../../state/maintenance.ts';
import { useSession } from '../../state/session-state.ts';

const STATE_WORDS = {
  absent: 'There is no snapshot: VelesDB replays the whole log when it opens.',
  valid: 'The snapshot agrees with the log.',
  invalid: 'The snapshot is not valid: VelesDB ignores it and replays the whole log.',
  disagrees: 'The snapshot disagrees with the log: VelesDB believes the snapshot.',
  unknown: 'The snapshot was not compared with the log yet.',
} as const;

/** The snapshot there is, what a new one would cover, and what can be done about it. */
export function SnapshotDialog({ onClose }: { onClose: () => void }) {
  const summary = useSession((state) => state.summary);
  const readOnly = useApplication((state) => state.info?.readOnly ?? false);
  if (!summary) return null;
  const { snapshot, log, counts } = summary;
  const sound = snapshot.state === 'valid' || snapshot.state === 'absent';
  const verb = sound ? 'snapshot now' : 'rebuild the snapshot';
  const action = summary.writing.on ? verb.charAt(0).toUpperCase() + verb.slice(1) : `Turn writing on and ${verb}`;
  return (
    <Modal
      title="Snapshot"
      onClose={onClose}
      footer={
        <>
          {snapshot.state === 'absent' ? null : (
            <button
              type="button"
              className="button left"
              disabled={readOnly}
              onClick={() => {
                onClose();
                void removeSnapshot();
              }}
            >
              Move it aside
            </button>
          )}
          <button type="button" className="button" onClick={onClose}>
            Close
          </button>
          <button
            type="button"
            className="button primary"
            disabled={readOnly}
            onClick={() => {
              onClose();
              void createSnapshot();
            }}
          >
            {action}
          </button>
        </>
      }
    >
      <p className={`word ${sound ? '' : 'tone-danger'}`}>
        <Icon name={sound ? 'check' : 'warning'} /> {STATE_WORDS[snapshot.state]}
      </p>
      {snapshot.reason ? <p className="muted">{snapshot.reason}</p> : null}
      <dl className="facts-list">
        {snapshot.walPosition === null ? null : (
          <>
            <dt>Position</dt>
            <dd>
              <span className="mono">{formatOffset(snapshot.walPosition)}</span>,{' '}
              {formatCount(BigInt(snapshot.walPosition))} bytes into the log
            </dd>
          </>
        )}
        {snapshot.entries === null ? null : (
          <>
            <dt>Entries</dt>
            <dd>{formatCount(snapshot.entries)}</dd>
          </>
        )}
        <dt>Log since then</dt>
        <dd>{formatBytes(snapshot.bytesSince)}</dd>
        <dt>A new one would cover</dt>
        <dd>
          {formatCount(counts.live)} live ids, {formatBytes(log.bytes)} of log
        </dd>
      </dl>
      <p className="muted">
        A snapshot is written beside the log, synced and renamed into place. It is refused while the log is damaged in a
        way that would make a loss permanent.
      </p>
    </Modal>
  );
}
