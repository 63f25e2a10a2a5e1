import { useCallback, useEffect, useState } from 'react';
import type { View } from '../../../core/generation.ts';
import { type ErrorValue, toErrorValue } from '../../../shared/errors.ts';
import type { Outcome } from '../../../shared/protocol.ts';
import { ErrorText } from '../../components/error-text.tsx';
import { formatCount } from '../../components/format.ts';
import { Modal } from '../../components/modal.tsx';
import { OUTCOME_WORDS, VIEW_WORDS } from '../../components/words.ts';
import { call } from '../../connection/current.ts';
import { showPage } from '../../state/application.ts';
import { goTo } from '../../state/go-to.ts';
import { useSession } from '../../state/session-state.ts';

const IDS_PER_PAGE = 500;

/** The ids behind a count of the outcomes table. */
export function OutcomeDialog({ view, outcome, onClose }: { view: View; outcome: Outcome; onClose: () => void }) {
  const session = useSession((state) => state.session);
  const [ids, setIds] = useState<string[]>([]);
  const [total, setTotal] = useState<number | null>(null);
  const [failure, setFailure] = useState<ErrorValue | null>(null);
  const more = useCallback(
    async (from: number) => {
      if (!session) return;
      try {
        const page = await call('outcome.ids', { session, view, outcome, from, count: IDS_PER_PAGE });
        setIds((known) => [...known.slice(0, from), ...page.ids]);
        setTotal(page.total);
      } catch (thrown) {
        setFailure(toErrorValue(thrown));
      }
    },
    [session, view, outcome],
  );
  useEffect(() => void more(0), [more]);
  const words = OUTCOME_WORDS[outcome];
  return (
    <Modal
      title={`${words.word} in ${VIEW_WORDS[view].short}${total === null ? '' : `: ${formatCount(total)}`}`}
      description={`Ids: ${words.meaning}.`}
      onClose={onClose}
    >
      {failure ? <ErrorText error={failure} /> : null}
      {total === 0 ? <p className="muted">None.</p> : null}
      <ul className="place-list">
        {ids.map((id) => (
          <li key={id}>
            <button
              type="button"
              className="place mono"
              onClick={() => {
                onClose();
                showPage('records');
                void goTo({ by: 'id', id }, { focus: true });
              }}
            >
              {id}
            </button>
          </li>
        ))}
      </ul>
      {total !== null && ids.length < total ? (
        <button type="button" className="button" onClick={() => void more(ids.length)}>
          Show more ({formatCount(total - ids.length)} left)
        </button>
      ) : null}
    </Modal>
  );
}
