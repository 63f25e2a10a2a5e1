import { Dialog } from 'radix-ui';
import type { ReactNode } from 'react';
import { Icon } from './icon.tsx';

/**
 * A modal dialog: focus stays inside, Escape and a press outside close it, focus returns to where it was.
 *
 * The backdrop is an element of our own and not Radix' Overlay, because that one injects a style element to lock the page's
 * scrolling, which our content security policy forbids; the page itself never scrolls.
 */
export function Modal(props: {
  title: string;
  /** One sentence under the title. */
  description?: ReactNode;
  onClose: () => void;
  size?: 'plain' | 'wide';
  /** Near the upper edge, for dialogs whose height changes while one types. */
  top?: boolean;
  hideHeader?: boolean;
  className?: string;
  footer?: ReactNode;
  children?: ReactNode;
}) {
  const { title, description, onClose, size = 'plain', top, hideHeader, className, footer, children } = props;
  const classes = ['dialog', size === 'wide' ? 'wide' : '', top ? 'top' : '', className ?? '']
    .filter(Boolean)
    .join(' ');
  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <div className="backdrop" />
        <Dialog.Content
          className={classes}
          onOpenAutoFocus={enterFirstField}
          {...(description ? {} : { 'aria-describedby': undefined })}
        >
          {hideHeader ? (
            <Dialog.Title className="visually-hidden">{title}</Dialog.Title>
          ) : (
            <header>
              <div>
                <Dialog.Title asChild>
                  <h2>{title}</h2>
                </Dialog.Title>
                {description ? <Dialog.Description className="muted">{description}</Dialog.Description> : null}
              </div>
              <Dialog.Close className="button quiet icon-only" aria-label="Close">
                <Icon name="cross" />
              </Dialog.Close>
            </header>
          )}
          {hideHeader ? children : <div className="dialog-body">{children}</div>}
          {footer ? <footer>{footer}</footer> : null}
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

/** A dialog that asks for something begins at its first field; left to itself the focus goes to the button that closes it. */
function enterFirstField(event: Event): void {
  const content = event.currentTarget as HTMLElement;
  const field = content.querySelector<HTMLElement>('input:not([disabled]), textarea:not([disabled])');
  if (!field) return;
  event.preventDefault();
  field.focus();
}
