import { MergeView, unifiedMergeView } from '@codemirror/merge';
import { EditorState } from '@codemirror/state';
import { EditorView, lineNumbers } from '@codemirror/view';
import { useEffect, useRef } from 'react';
import type { PayloadDocument } from '../../state/documents.ts';
import { heldText } from '../../state/large-text.ts';
import { isPlain } from '../../state/plain.ts';
import { editorIsWanted, focusGrid } from '../commands/focus.ts';
import { baseExtensions, jsonColours } from './code-extensions.ts';
import { textLineNumbers } from './long-lines.ts';

/** The code view of a document. The document keeps text, selection and history when the view goes. */
export function CodeView({ document: payload }: { document: PayloadDocument }) {
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!host.current) return;
    const view = new EditorView({
      state: payload.state,
      parent: host.current,
      dispatchTransactions: (transactions, target) => {
        target.update(transactions);
        const [first, ...rest] = transactions.map(({ changes }) => changes);
        if (first)
          payload.take(
            target.state,
            rest.reduce((before, next) => before.compose(next), first),
          );
      },
    });
    payload.attach(view);
    const focus = () => view.focus();
    document.addEventListener('velescope-focus-editor', focus);
    if (editorIsWanted()) focus();
    return () => {
      document.removeEventListener('velescope-focus-editor', focus);
      payload.detach(view);
      view.destroy();
    };
  }, [payload]);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the editor inside is the widget, this only brings the focus back
    <div
      ref={host}
      className="code-host"
      onKeyDown={(event) => {
        if (event.key !== 'F2' && !(event.key === 'Escape' && !event.defaultPrevented)) return;
        event.preventDefault();
        focusGrid();
      }}
    />
  );
}

function readOnly(label: string): readonly ReturnType<typeof EditorState.readOnly.of>[] {
  return [
    EditorState.readOnly.of(true),
    EditorView.contentAttributes.of({ 'aria-label': label, 'aria-readonly': 'true', tabindex: '0' }),
  ];
}

/** Payload text to look at. */
export function CodeText({ text, label, inline }: { text: string; label: string; inline?: boolean }) {
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!host.current) return;
    const plain = isPlain(text);
    const view = new EditorView({
      parent: host.current,
      state: EditorState.create({
        doc: plain ? heldText(text) : text,
        extensions: [
          baseExtensions({ plain }),
          plain ? textLineNumbers : [lineNumbers(), jsonColours()],
          readOnly(label),
        ],
      }),
    });
    const focus = () => view.focus();
    document.addEventListener('velescope-focus-editor', focus);
    return () => {
      document.removeEventListener('velescope-focus-editor', focus);
      view.destroy();
    };
  }, [text, label]);
  return <div ref={host} className={inline ? 'code-host inline' : 'code-host'} />;
}

/** Beyond this many characters a difference is not computed to the character any more. */
const DIFFERENCE_SCAN_LIMIT = 2_000;

/** Two texts and where they differ: one below the other in a narrow place, side by side in a wide one. */
export function CodeDifference(props: { before: string; after: string; label: string; sideBySide?: boolean }) {
  const { before, after, label, sideBySide } = props;
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!host.current) return;
    const common = [baseExtensions(), jsonColours(), readOnly(label)];
    const diffConfig = { scanLimit: DIFFERENCE_SCAN_LIMIT, timeout: 500 };
    const collapseUnchanged = { margin: 2, minSize: 5 };
    if (sideBySide) {
      const view = new MergeView({
        parent: host.current,
        a: { doc: before, extensions: common },
        b: { doc: after, extensions: common },
        collapseUnchanged,
        diffConfig,
        gutter: false,
      });
      return () => view.destroy();
    }
    const view = new EditorView({
      parent: host.current,
      state: EditorState.create({
        doc: after,
        extensions: [
          common,
          unifiedMergeView({ original: before, mergeControls: false, gutter: false, collapseUnchanged, diffConfig }),
        ],
      }),
    });
    return () => view.destroy();
  }, [before, after, label, sideBySide]);
  return <div ref={host} className="code-host inline" />;
}
