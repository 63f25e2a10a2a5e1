import { useCallback, useEffect, useState } from 'react';
import { type ErrorValue, fromErrorValue, toErrorValue } from '../../../shared/errors.ts';
import type { SeenRecords } from '../../../shared/protocol.ts';
import { ErrorText } from '../../components/error-text.tsx';
import { formatNoun } from '../../components/format.ts';
import { Modal } from '../../components/modal.tsx';
import { call } from '../../connection/current.ts';
import { announceFailure } from '../../state/announcements.ts';
import { report, useApplication } from '../../state/application.ts';
import { useDrafts, writeDrafts } from '../../state/drafts.ts';
import { takeBackDrafts, useDropped } from '../../state/dropped-drafts.ts';
import { dropAllDrafts, flushEdits, knownRefusalOf, refusalOf } from '../../state/editing.ts';
import { goTo } from '../../state/go-to.ts';
import { useSession } from '../../state/session-state.ts';
import type { Reviewed } from './review-item.tsx';
import { ReviewList } from './review-list.tsx';

/** All drafts, each beside what it began from and what the log holds now; any dropped, the rest written as one batch. */
export function ReviewDialog({ onClose }: { onClose: () => void }) {
  const { session, summary } = useSession();
  const drafts = useDrafts((state) => state.drafts);
  const [list, setList] = useState<Reviewed[] | null>(null);
  const [failure, setFailure] = useState<ErrorValue | null>(null);
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set());
  const [agreed, setAgreed] = useState<SeenRecords>({});
  const [refusal, setRefusal] = useState<ErrorValue | null>(null);
  const [writing, setWritingNow] = useState(false);
  const [firstRefused, setFirstRefused] = useState<{ id: string } | null>(null);

  const load = useCallback(async () => {
    if (!session) return;
    try {
      await flushEdits();
      setList(conflictsFirst(await call('drafts.review', { session })));
      setFailure(null);
    } catch (thrown) {
      setFailure(toErrorValue(thrown));
    }
  }, [session]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the drafts are what is reviewed
  useEffect(() => void load(), [load, drafts]);

  const chosen = (list ?? []).filter(({ draft }) => !left.has(draft.id));
  useRefusals(list);
  const checking = chosen.some(({ draft }) => knownRefusalOf(draft) === undefined);
  const refused = chosen.filter(({ draft }) => knownRefusalOf(draft));
  const conflicts = chosen.filter(({ draft }) => draft.conflict);
  const seen = seenIn(conflicts);
  // A yes is one to the versions that were shown: where one of them is another by now, it has to be said again.
  const overwrite = conflicts.every(({ draft: { id } }) => agreed[id] !== undefined && agreed[id] === seen[id]);
  const blocked = checking || refused.length > 0 || (conflicts.length > 0 && !overwrite);
  const write = async () => {
    setWritingNow(true);
    setRefusal(null);
    const isOpen = () => useApplication.getState().dialog?.name === 'review';
    const onFailure = (error: ErrorValue) => {
      // A notice lies under the dialog.
      if (isOpen()) setRefusal(error);
      else report(fromErrorValue(error));
      announceFailure(`Not saved. ${error.message}`);
    };
    const written = await writeDrafts({ drafts: chosen.map(({ draft }) => draft), overwrite: agreed, onFailure });
    setWritingNow(false);
    if (written) onClose();
  };
  return (
    <Modal
      title={list ? `Review and write ${formatNoun(chosen.length, 'change')}` : 'Review changes'}
      description={`Written as one batch with one sync (${summary?.writing.durability ?? 'fsync'}), read back and checked.`}
      size="wide"
      onClose={onClose}
      footer={
        <>
          {conflicts.length > 0 ? (
            <label className="check left">
              <input
                type="checkbox"
                checked={overwrite}
                onChange={(event) => setAgreed(event.target.checked ? seen : {})}
              />
              Write over what changed in the log meanwhile
            </label>
          ) : null}
          {list && list.length > 1 ? (
            <button
              type="button"
              className="button"
              onClick={() => void dropAllDrafts(list.map(({ draft }) => draft.id))}
            >
              Drop all
            </button>
          ) : null}
          <button type="button" className="button" onClick={onClose}>
            Close
          </button>
          <button
            type="button"
            className="button primary"
            disabled={chosen.length === 0 || blocked || writing}
            onClick={() => void write()}
          >
            Write {formatNoun(chosen.length, 'change')}
          </button>
        </>
      }
    >
      {failure ? <ErrorText error={failure} title="The drafts could not be read" /> : null}
      {refusal ? <ErrorText error={refusal} title="The changes could not be written" /> : null}
      {refused.length > 0 ? (
        <div className="callout danger" role="alert">
          <p>
            {formatNoun(refused.length, 'payload')} VelesDB could not read: correct or leave out what is marked below,
            so that no record becomes unreadable.
          </p>
          <div className="row-of-buttons">
            <button
              type="button"
              className="button small"
              onClick={() => setFirstRefused({ id: refused[0]!.draft.id })}
            >
              Show the first
            </button>
          </div>
        </div>
      ) : null}
      <DroppedBanner />
      {list?.length === 0 ? <p className="muted">There are no drafts.</p> : null}
      <ReviewList
        entries={list ?? []}
        left={left}
        shownFirst={firstRefused}
        onToggle={(id) =>
          setLeft((now) => {
            const next = new Set(now);
            if (!next.delete(id)) next.add(id);
            return next;
          })
        }
        onShow={(id) => {
          onClose();
          void goTo({ by: 'id', id }, { focus: true });
        }}
      />
    </Modal>
  );
}

/** What needs a decision is not to be searched for among thousands. */
function conflictsFirst(list: readonly Reviewed[]): Reviewed[] {
  return [...list].sort((a, b) => Number(b.draft.conflict) - Number(a.draft.conflict));
}

/** Where the records stand that the log holds now, by id: what is written over where a person says so. */
function seenIn(conflicts: readonly Reviewed[]): SeenRecords {
  return Object.fromEntries(conflicts.map(({ draft, current }) => [draft.id, current?.offset ?? null]));
}

/** What was dropped last can be brought back right here: a notice lies under the dialog. */
function DroppedBanner() {
  const last = useDropped((state) => state.last);
  const session = useSession((state) => state.session);
  if (!last || last.session !== session) return null;
  return (
    <div className="banner" role="status">
      <p>{last.words}</p>
      <button type="button" className="button small" onClick={() => void takeBackDrafts(last.change)}>
        Bring back
      </button>
    </div>
  );
}

/** Finds out of each draft whether VelesDB would read it, and shows it as it is known. Large ones are checked beside the window. */
function useRefusals(list: readonly Reviewed[] | null): void {
  const [, setFound] = useState(0);
  useEffect(() => {
    let wanted = true;
    const found = () => wanted && setFound((count) => count + 1);
    for (const { draft } of list ?? []) refusalOf(draft).then(found, report);
    return () => {
      wanted = false;
    };
  }, [list]);
}
