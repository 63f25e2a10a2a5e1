import { displayText } from '../../../core/json/layout.ts';
import type { Result } from '../../../shared/protocol.ts';
import { formatNoun, formatOffset } from '../../components/format.ts';
import { Icon } from '../../components/icon.tsx';
import { VisibleText } from '../../components/visible-text.tsx';
import { dropDraft, knownRefusalOf } from '../../state/editing.ts';
import { PLAIN_FROM } from '../../state/plain.ts';
import { CodeDifference, CodeText } from '../editor/code-view.tsx';

/** A draft beside what the log holds now. */
export type Reviewed = Result<'drafts.review'>[number];

/** One draft: what it changes, or all three versions where the record changed in the log meanwhile. */
export function ReviewItem(props: { entry: Reviewed; included: boolean; onToggle: () => void; onShow: () => void }) {
  const { entry, included, onToggle, onShow } = props;
  const { draft, current } = entry;
  const refusal = knownRefusalOf(draft);
  const what = draft.action === 'delete' ? 'delete' : draft.base?.text == null ? 'new record' : 'edit';
  return (
    <div className="card review-item">
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
    </div>
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
