import { Modal } from '../../components/modal.tsx';
import { stageDelete } from '../../state/editing.ts';
import { useSession } from '../../state/session-state.ts';

/** Staging a delete, and what a delete means in this log. */
export function DeleteRecordDialog({ id, onClose }: { id: string; onClose: () => void }) {
  const kind = useSession((state) => state.collection?.kind);
  return (
    <Modal
      title={`Delete the record of id ${id}?`}
      onClose={onClose}
      footer={
        <>
          <button type="button" className="button" onClick={onClose}>
            Keep it
          </button>
          <button
            type="button"
            className="button danger"
            onClick={() => {
              onClose();
              void stageDelete(id);
            }}
          >
            Stage the delete
          </button>
        </>
      }
    >
      <p>
        The delete is a draft until you write it. Written, it appends a tombstone: the older versions stay in the log,
        and History can restore them.
      </p>
      {kind === 'vector' || kind === 'graph' ? (
        <p className="muted">Only the payload is deleted: the vector of this id stays in the collection.</p>
      ) : null}
    </Modal>
  );
}
