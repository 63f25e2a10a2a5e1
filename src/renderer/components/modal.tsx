import { Dialog } from 'radix-ui';
import { type ReactNode, useState } from 'react';
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
  useState(rememberFocus);
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
          onCloseAutoFocus={returnFocus}
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

let returnTo: HTMLElement | null = null;

/** Where the focus is before a dialog takes it. Of a dialog that follows on another, where it was before the first. */
function rememberFocus(): void {
  const { activeElement } = document;
  if (activeElement instanceof HTMLElement && !activeElement.closest('body > :not(#root)')) returnTo = activeElement;
}

/** Radix gives the focus back to the button that opened a dialog, and these are opened by commands. */
function returnFocus(event: Event): void {
  event.preventDefault();
  if (document.querySelector('[role="dialog"]')) return;
  returnTo?.focus({ preventScroll: true });
  returnTo = null;
}

/** A dialog that asks for something begins at its first field; left to itself the focus goes to the button that closes it. */
function enterFirstField(event: Event): void {
  const content = event.currentTarget as HTMLElement;
  const field = content.querySelector<HTMLElement>('input:not([disabled]), textarea:not([disabled])');
  if (!field) return;
  event.preventDefault();
  field.focus();
}
