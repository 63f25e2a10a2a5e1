import { VIEWS } from '../../../core/generation.ts';
import type { Outcome, OutcomeCounts, Summary } from '../../../shared/protocol.ts';
import { formatCount } from '../../components/format.ts';
import { Icon } from '../../components/icon.tsx';
import { OUTCOME_WORDS, VIEW_WORDS } from '../../components/words.ts';
import { showDialog } from '../../state/application.ts';

const OUTCOMES = Object.keys(OUTCOME_WORDS) as Outcome[];

/** What each generation makes of the log, side by side with what is intact in it. */
export function OutcomesTable({ outcomes, open = true }: { outcomes: Summary['outcomes']; open?: boolean }) {
  return (
    <div className="card scroll-x">
      <table className="table outcomes">
        <thead>
          <tr>
            <th scope="col">Compared with salvage</th>
            {VIEWS.map((view) => (
              <th key={view} scope="col" className="number">
                {VIEW_WORDS[view].releases}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">Opens</th>
            {VIEWS.map((view) => (
              <td key={view} className="number">
                <Opens counts={outcomes[view]} />
              </td>
            ))}
          </tr>
          {OUTCOMES.map((outcome) => (
            <tr key={outcome}>
              <th scope="row" title={OUTCOME_WORDS[outcome].meaning}>
                {OUTCOME_WORDS[outcome].word}
                <span className="hint"> {OUTCOME_WORDS[outcome].meaning}</span>
              </th>
              {VIEWS.map((view) => {
                const value = outcomes[view]?.[outcome] ?? null;
                return (
                  <td key={view} className="number">
                    {value === null ? (
                      <span className="muted" title="not known where the collection does not open">
                        –
                      </span>
                    ) : value === 0 || !open ? (
                      formatCount(value)
                    ) : (
                      <button
                        type="button"
                        className={outcome === 'live' ? 'count-button' : 'count-button bad'}
                        aria-label={`${formatCount(value)} ${OUTCOME_WORDS[outcome].word.toLowerCase()} in ${VIEW_WORDS[view].short}: show the ids`}
                        onClick={() => showDialog({ name: 'outcome', view, outcome })}
                      >
                        {formatCount(value)}
                      </button>
                    )}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Opens({ counts }: { counts: OutcomeCounts | undefined }) {
  if (!counts) return <span className="muted">not yet</span>;
  if (counts.opens) {
    return (
      <span className="word tone-good">
        <Icon name="check" /> opens
      </span>
    );
  }
  return (
    <span className="tone-danger" title={counts.error?.message}>
      <span className="word tone-danger">
        <Icon name="cross" /> refuses
      </span>
      <br />
      <span className="hint">
        {counts.error?.kind}: {counts.error?.message}
      </span>
    </span>
  );
}
