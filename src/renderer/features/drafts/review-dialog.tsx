import { useCallback, useEffect, useState } from 'react';
import { displayText } from '../../../core/json/layout.ts';
import { type ErrorValue, toErrorValue } from '../../../shared/errors.ts';
import type { Result } from '../../../shared/protocol.ts';
import { ErrorText } from '../../components/error-text.tsx';
import { formatCount, formatNoun, formatOffset } from '../../components/format.ts';
import { Icon } from '../../components/icon.tsx';
import { Modal } from '../../components/modal.tsx';
import { VisibleText } from '../../components/visible-text.tsx';
import { call } from '../../connection/current.ts';
import { report } from '../../state/application.ts';
import { useDrafts, writeDrafts } from '../../state/drafts.ts';
import { takeBackDrafts, useDropped } from '../../state/dropped-drafts.ts';
import { dropAllDrafts, dropDraft, flushEdits, knownRefusalOf, refusalOf } from '../../state/editing.ts';
import { PLAIN_FROM } from '../../state/plain.ts';
import { goTo, useSession } from '../../state/session.ts';
import { CodeDifference, CodeText } from '../editor/code-view.tsx';

type Reviewed = Result<'drafts.review'>[number];

/** Each draft has an editor that shows its difference: thousands at once would hold up the window. */
const SHOWN_AT_ONCE = 100;

/** All drafts, each beside what it began from and what the log holds now; any dropped, the rest written as one batch. */
export function ReviewDialog({ onClose }: { onClose: () => void }) {
  const { session, summary } = useSession();
  const drafts = useDrafts((state) => state.drafts);
  const [list, setList] = useState<Reviewed[] | null>(null);
  const [failure, setFailure] = useState<ErrorValue | null>(null);
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set());
  const [overwrite, setOverwrite] = useState(false);
  const [writing, setWritingNow] = useState(false);
  const [shownCount, setShownCount] = useState(SHOWN_AT_ONCE);

  const load = useCallback(async () => {
    if (!session) return;
    try {
      await flushEdits();
      setList(await call('drafts.review', { session }));
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
  const blocked = checking || refused.length > 0 || (conflicts.length > 0 && !overwrite);
  const write = async () => {
    setWritingNow(true);
    const written = await writeDrafts(
      chosen.map(({ draft }) => draft.id),
      overwrite,
      chosen.map(({ draft }) => draft),
    );
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
              <input type="checkbox" checked={overwrite} onChange={(event) => setOverwrite(event.target.checked)} />
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
      {refused.length > 0 ? (
        <div className="callout danger" role="alert">
          <p>
            {formatNoun(refused.length, 'payload')} VelesDB could not read: correct or leave out what is marked below,
            so that no record becomes unreadable.
          </p>
        </div>
      ) : null}
      <DroppedBanner />
      {list?.length === 0 ? <p className="muted">There are no drafts.</p> : null}
      <ul className="review-list">
        {(list ?? []).slice(0, shownCount).map((entry) => (
          <ReviewItem
            key={entry.draft.id}
            entry={entry}
            included={!left.has(entry.draft.id)}
            onToggle={() =>
              setLeft((now) => {
                const next = new Set(now);
                if (!next.delete(entry.draft.id)) next.add(entry.draft.id);
                return next;
              })
            }
            onShow={() => {
              onClose();
              void goTo({ by: 'id', id: entry.draft.id }, { focus: true });
            }}
          />
        ))}
      </ul>
      {list && list.length > shownCount ? (
        <p className="row-of-buttons">
          <span className="muted">
            {formatCount(shownCount)} of {formatNoun(list.length, 'draft')} shown; all that are not left out are
            written.
          </span>
          <button type="button" className="button small" onClick={() => setShownCount(shownCount + SHOWN_AT_ONCE)}>
            Show {formatCount(Math.min(SHOWN_AT_ONCE, list.length - shownCount))} more
          </button>
        </p>
      ) : null}
    </Modal>
  );
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

function ReviewItem(props: { entry: Reviewed; included: boolean; onToggle: () => void; onShow: () => void }) {
  const { entry, included, onToggle, onShow } = props;
  const { draft, current } = entry;
  const refusal = knownRefusalOf(draft);
  const what = draft.action === 'delete' ? 'delete' : draft.base?.text == null ? 'new record' : 'edit';
  return (
    <li className="card review-item" aria-label={`Draft of id ${draft.id}`}>
      <header>
        <label className="check">
          <input
            type="checkbox"
            checked={included}
            onChange={onToggle}
            aria-label={`Write the draft of id ${draft.id}`}
          />
          <strong className="mono">{draft.id}</strong>
        </label>
        <span className="muted">{what}</span>
        {draft.base ? <span className="muted mono">from {formatOffset(draft.base.offset)}</span> : null}
        <span className="spacer" />
        <button type="button" className="button small" onClick={onShow}>
          Show
        </button>
        <button
          type="button"
          className="button small"
          onClick={() => void dropDraft(draft.id)}
          aria-label={`Drop the draft of id ${draft.id}`}
        >
          Drop
        </button>
      </header>
      {refusal === undefined ? <p className="banner">Checking…</p> : null}
      {refusal ? (
        <p className="banner danger">
          <Icon name="cross" className="tone-danger" /> VelesDB refuses this: {refusal}
        </p>
      ) : null}
      {draft.conflict ? (
        <Conflict entry={entry} />
      ) : (
        <Change before={current?.text ?? draft.base?.text ?? null} after={draft.text} id={draft.id} />
      )}
    </li>
  );
}

/** A change to one text: its difference, or the whole where there is nothing to compare with. */
function Change({ before, after, id }: { before: string | null; after: string | null; id: string }) {
  if (after === null) {
    return before === null ? (
      <p className="banner">A tombstone for id {id}.</p>
    ) : (
      <CodeText inline text={shown(before)} label={`What is deleted of id ${id}`} />
    );
  }
  if (before === null) return <CodeText inline text={shown(after)} label={`New payload of id ${id}`} />;
  if (before === after) return <p className="banner">The same text as in the log.</p>;
  if (before.length + after.length > PLAIN_FROM)
    return <p className="banner">Too large for a difference: {formatNoun(after.length, 'character')}.</p>;
  return <CodeDifference before={shown(before)} after={shown(after)} label={`Change of id ${id}`} />;
}

function shown(text: string): string {
  return text.length < PLAIN_FROM ? displayText(text) : `${text.slice(0, 2_000)}…`;
}

/** The record changed in the log since the draft began: all three versions. */
function Conflict({ entry }: { entry: Reviewed }) {
  const { draft, current } = entry;
  const versions = [
    { name: 'The draft began from', text: draft.base?.text ?? null },
    { name: 'The log holds now', text: current?.text ?? null },
    { name: 'The draft', text: draft.text },
  ];
  return (
    <>
      <p className="banner danger">
        <Icon name="warning" className="tone-danger" /> This record changed in the log since the draft began. Nothing is
        decided for you.
      </p>
      <div className="three">
        {versions.map((version) => (
          <div key={version.name}>
            <h3>{version.name}</h3>
            {version.text === null ? (
              <p className="muted">no record</p>
            ) : (
              <pre>
                <VisibleLines text={shown(version.text)} />
              </pre>
            )}
          </div>
        ))}
      </div>
    </>
  );
}

/** Lines stay lines; what else would be invisible is marked. */
function VisibleLines({ text }: { text: string }) {
  return text.split('\n').map((line, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: lines have no identity but their place
    <span key={index}>
      {index > 0 ? '\n' : ''}
      <VisibleText text={line} />
    </span>
  ));
}
