import type { ErrorValue } from '../../../shared/errors.ts';
import { ErrorText } from '../../components/error-text.tsx';
import { Modal } from '../../components/modal.tsx';
import { showPage, useApplication } from '../../state/application.ts';
import { removeSnapshot, trimTail } from '../../state/maintenance.ts';
import { rescan, setWriting } from '../../state/session.ts';
import { useSession } from '../../state/session-state.ts';

/** Writing is off: what turning it on means, or why it cannot be, and the repair that removes the reason. */
export function WritingDialog(props: { refusal: ErrorValue | null; next: (() => void) | null; onClose: () => void }) {
  const { refusal, next, onClose } = props;
  const summary = useSession((state) => state.summary);
  const readOnly = useApplication((state) => state.info?.readOnly ?? false);
  const turnOn = async () => {
    onClose();
    if (await setWriting(true, next)) next?.();
  };
  if (readOnly) {
    return (
      <Modal title="Read-only" onClose={onClose}>
        <p>
          Velescope was started read-only. Drafts are kept; nothing is written. Start it without --read-only to write.
        </p>
      </Modal>
    );
  }
  if (!refusal) {
    return (
      <Modal
        title="Turn writing on?"
        onClose={onClose}
        footer={
          <>
            <button type="button" className="button" onClick={onClose}>
              Leave it off
            </button>
            <button type="button" className="button primary" onClick={() => void turnOn()}>
              {next ? 'Turn on and go on' : 'Turn on'}
            </button>
          </>
        }
      >
        <p>Writing is off, so that looking can change nothing.</p>
        <p>
          With writing on, Velescope takes the lock of this database: no VelesDB can open it meanwhile. Each save is
          appended to the log, synced, read back and checked before it says saved. Nothing that is in the log is
          changed.
        </p>
        {summary?.fullText.present ? (
          <p className="muted">
            This collection has a full-text index that VelesDB trusts. After a change it is stale until it is rebuilt;
            Velescope offers to move it aside.
          </p>
        ) : null}
      </Modal>
    );
  }
  return (
    <Modal
      title="Writing is refused"
      onClose={onClose}
      footer={
        <>
          <button type="button" className="button" onClick={onClose}>
            Close
          </button>
          <Repair refusal={refusal} onClose={onClose} />
        </>
      }
    >
      <ErrorText error={refusal} />
    </Modal>
  );
}

/** The repair that would remove the reason of a refusal. */
function Repair({ refusal, onClose }: { refusal: ErrorValue; onClose: () => void }) {
  const hasTail = useSession((state) => (state.summary?.damage.tail ?? null) !== null);
  const act = (run: () => void) => () => {
    onClose();
    run();
  };
  switch (refusal.code) {
    case 'LOCK_HELD':
    case 'LOCK_UNAVAILABLE':
      return (
        <button type="button" className="button primary" onClick={act(() => void setWriting(true))}>
          Try again
        </button>
      );
    case 'LOG_CHANGED':
    case 'LOG_GREW':
    case 'LOG_SHRANK':
    case 'LOG_REPLACED':
    case 'WRITER_BROKEN':
      return (
        <button type="button" className="button primary" onClick={act(rescan)}>
          Scan again
        </button>
      );
    case 'SNAPSHOT_DISAGREES':
      return (
        <button type="button" className="button primary" onClick={act(() => void removeSnapshot())}>
          Move the snapshot aside
        </button>
      );
    case 'LOG_DAMAGED':
      return (
        <>
          <button type="button" className="button" onClick={act(() => showPage('recovery'))}>
            Recover…
          </button>
          {hasTail ? (
            <button type="button" className="button primary" onClick={act(() => void trimTail())}>
              Trim the tail
            </button>
          ) : null}
        </>
      );
    default:
      return null;
  }
}
