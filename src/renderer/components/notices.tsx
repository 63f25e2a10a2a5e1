import { dismiss, useApplication } from '../state/application.ts';
import { Icon } from './icon.tsx';
import { VisibleText } from './visible-text.tsx';

/** Short messages in a corner: what was done, what failed, and what to do next. */
export function Notices() {
  const notices = useApplication((state) => state.notices);
  if (notices.length === 0) return null;
  return (
    <section className="notices" aria-label="Messages">
      {notices.map((notice) => (
        <div key={notice.serial} className={`notice ${notice.tone}`}>
          <Icon
            name={notice.tone === 'danger' ? 'cross' : notice.tone === 'good' ? 'check' : 'info'}
            className={`tone-${notice.tone === 'plain' ? 'muted' : notice.tone}`}
          />
          <div>
            <p>
              <VisibleText text={notice.text} />
            </p>
            {notice.next ? (
              <p className="muted">
                <VisibleText text={notice.next} />
              </p>
            ) : null}
          </div>
          {notice.action ? (
            <button
              type="button"
              className="button small"
              onClick={() => {
                dismiss(notice.serial);
                notice.action?.run();
              }}
            >
              {notice.action.label}
            </button>
          ) : null}
          <button
            type="button"
            className="button quiet small icon-only"
            aria-label="Dismiss message"
            onClick={() => dismiss(notice.serial)}
          >
            <Icon name="cross" />
          </button>
        </div>
      ))}
    </section>
  );
}
