import type { ErrorValue } from '../../shared/errors.ts';
import { Icon } from './icon.tsx';
import { VisibleText } from './visible-text.tsx';

/** An error: what was expected and found, what to do next, and its code for those who look it up. */
export function ErrorText({ error, title }: { error: ErrorValue; title?: string }) {
  return (
    <section className="callout danger" aria-label={title ?? 'Error'}>
      {title ? (
        <h3>
          <Icon name="cross" />
          {title}
        </h3>
      ) : null}
      <p>
        <VisibleText text={error.message} />
      </p>
      {error.next ? (
        <p>
          <VisibleText text={error.next} />
        </p>
      ) : null}
      <p className="muted">
        Code <code>{error.code}</code>
      </p>
    </section>
  );
}
