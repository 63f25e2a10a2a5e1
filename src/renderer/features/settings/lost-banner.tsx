import { Icon } from '../../components/icon.tsx';
import type { LostState } from '../../state/reconnecting.ts';

const WORDS: Readonly<Record<LostState, string>> = {
  silent:
    'It is busy, stopped, or the tunnel hangs. Drafts are kept; what you type now stays in this window and is kept as soon as it answers.',
  unreachable:
    'Drafts made until then are kept; what you type now stays in this window, so leave it open. If the tunnel closed, open it again: this window connects by itself. If the server ended, start it with "velescope serve" and open the address that it prints.',
  returning: 'It answers again: the log is being read, and what you typed meanwhile is kept after that.',
  another:
    'Velescope was started again: open the new address that it printed, in this browser, and this window goes on by itself. Drafts are kept; what you typed since the connection was lost is in this window only, so leave it open.',
  elsewhere:
    'Velescope answers again, and this collection cannot be opened, which is tried again and again. What you typed since the connection was lost is in this window only: leave it open, or copy it.',
};

/** Says that nothing comes from the engine, what becomes of what one types, and what to do. It leaves by itself. */
export function LostBanner({ lost }: { lost: { state: LostState; reason: string } }) {
  const { state, reason } = lost;
  const isDanger = state === 'unreachable' || state === 'another' || state === 'elsewhere';
  return (
    <div className={`banner ${isDanger ? 'danger' : 'warning'}`} role="alert">
      <Icon name="warning" className={isDanger ? 'tone-danger' : 'tone-warning'} />
      <p>
        <strong>{reason}</strong> {WORDS[state]}
      </p>
    </div>
  );
}
