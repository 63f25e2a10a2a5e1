import { formatNoun } from '../../components/format.ts';
import { Modal } from '../../components/modal.tsx';
import { isPartial, runUndo, type UndoFigures } from '../../state/undo-write.ts';

/** What taking the last write back would do, before it is done. */
export function UndoWriteDialog({ figures, onClose }: { figures: UndoFigures; onClose: () => void }) {
  const { records, stores, deletes, changed, lost } = figures;
  const taken = stores + deletes;
  return (
    <Modal
      title="Undo the last write?"
      description={`It wrote ${formatNoun(records, 'id')}. Their previous state is appended; nothing is cut from the log.`}
      onClose={onClose}
      footer={
        <>
          <button type="button" className="button" onClick={onClose}>
            Leave it as it is
          </button>
          <button
            type="button"
            className="button primary"
            disabled={taken === 0}
            onClick={() => {
              onClose();
              void runUndo(isPartial(figures));
            }}
          >
            Undo {formatNoun(taken, 'record')}
          </button>
        </>
      }
    >
      <ul>
        <li>Restored to the payload they had before: {formatNoun(stores, 'record')}</li>
        <li>Deleted, because they were not there before: {formatNoun(deletes, 'record')}</li>
      </ul>
      <Left words="written to since. What is there now stays." {...changed} />
      <Left words="damaged or unreadable before. What is there now stays." {...lost} />
    </Modal>
  );
}

function Left({ count, ids, words }: { count: number; ids: readonly string[]; words: string }) {
  if (count === 0) return null;
  return (
    <div className="callout danger" role="alert">
      <p>
        {formatNoun(count, 'id')} {count === 1 ? 'was' : 'were'} {words}
      </p>
      <p className="mono">
        {ids.slice(0, 20).join(', ')}
        {count > 20 ? ', …' : ''}
      </p>
    </div>
  );
}
