import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import { decodeStringToken, type NodeKind, type SyntaxTree } from '../../../core/json/syntax.ts';
import { formatCount } from '../../components/format.ts';
import { Icon } from '../../components/icon.tsx';
import { VisibleText } from '../../components/visible-text.tsx';
import { notify } from '../../state/application.ts';
import type { PayloadDocument } from '../../state/documents.ts';
import { openField } from '../../state/open-field.ts';
import type { TreeItem } from './tree-items.ts';

/** The height of a line in pixels; all are equal, so that the place of any is known. */
export const ITEM_HEIGHT = 24;
/** Deeper lines are not set further in: at thousands of levels nothing of them would be on the screen. They say their level instead. */
const INDENTED_LEVELS = 24;
export const KINDS: readonly NodeKind[] = ['object', 'array', 'string', 'number', 'boolean', 'null'];

/** What of a value is being edited in place. */
export type EditedPart = 'value' | 'key' | 'type';

/** What is being edited in a field: of which document, because another one may come in its place meanwhile. */
export interface Editing {
  document: PayloadDocument;
  path: readonly number[];
  what: EditedPart;
}

/** Takes what stands in a field into the text. `isLeft`: the field is gone from the window. */
export type CommitField = (field: Editing, text: string, raw: boolean, isLeft: boolean) => boolean;

/** One value of the tree, or the field it is being edited in. */
export function TreeLine(props: {
  tree: SyntaxTree;
  item: TreeItem;
  /** Its place among the items. */
  index: number;
  top: number;
  selected: boolean;
  hint: string | undefined;
  editing: Editing | null;
  onSelect: () => void;
  onToggle: () => void;
  onEdit: () => void;
  onCommit: CommitField;
  onCancel: () => void;
}) {
  const { tree, item, top, selected, hint, editing } = props;
  const { node, depth, open } = item;
  const container = tree.isContainer(node);
  const kind = tree.kind(node);
  const key = tree.key(node);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: keys are handled by the tree
    <div
      role="treeitem"
      data-item={props.index}
      className="tree-item"
      aria-level={depth + 1}
      aria-setsize={item.siblings}
      aria-posinset={item.position + 1}
      aria-selected={selected}
      {...(container ? { 'aria-expanded': open } : {})}
      tabIndex={selected && editing === null ? 0 : -1}
      style={{
        position: 'absolute',
        top,
        left: 0,
        right: 0,
        height: ITEM_HEIGHT,
        paddingLeft: `${Math.min(depth, INDENTED_LEVELS) * 1.1 + 0.5}rem`,
      }}
      onClick={props.onSelect}
      onDoubleClick={props.onEdit}
    >
      {/* biome-ignore lint/a11y/noStaticElementInteractions: for the mouse; the tree's keys do the same */}
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: see above */}
      <span
        className="tree-toggle"
        onClick={container ? props.onToggle : undefined}
        onDoubleClick={(event) => event.stopPropagation()}
      >
        {container ? <Icon name={open ? 'chevronDown' : 'chevronRight'} /> : null}
      </span>
      {depth > INDENTED_LEVELS ? (
        <span className="tree-depth" aria-hidden="true">
          level {formatCount(depth)}
        </span>
      ) : null}
      {editing?.what === 'key' ? (
        <TokenInput
          token={tree.keyToken(node) ?? '""'}
          label="Key"
          id={editing.document.id}
          onCommit={(text, raw, isLeft) => props.onCommit(editing, text, raw, isLeft)}
          onCancel={props.onCancel}
        />
      ) : depth > 0 ? (
        <span className={key === null ? 'tree-key index' : 'tree-key'}>
          {key === null ? item.position : <VisibleText text={key.slice(0, 2_000)} />}:
        </span>
      ) : null}
      {editing?.what === 'value' ? (
        <TokenInput
          token={tree.token(node)}
          label="Value"
          id={editing.document.id}
          onCommit={(text, raw, isLeft) => props.onCommit(editing, text, raw, isLeft)}
          onCancel={props.onCancel}
        />
      ) : editing?.what === 'type' ? (
        <KindSelect
          kind={kind}
          onCommit={(next) => props.onCommit(editing, next, true, false)}
          onCancel={props.onCancel}
        />
      ) : (
        <span className={`tree-value ${kind === 'boolean' || kind === 'null' ? 'literal' : kind}`}>
          {container ? (
            <>
              <span className="muted" aria-hidden="true">
                {containerSigns(tree, node)}
              </span>
              <span className="visually-hidden">{containerWords(tree, node)}</span>
            </>
          ) : (
            <VisibleText text={tree.token(node).slice(0, 2_000)} />
          )}
        </span>
      )}
      {hint && editing === null ? <span className="hint warning">{hint}</span> : null}
    </div>
  );
}

/**
 * A token is edited as the string it stands for where nothing can be lost by that, else as its JSON text. What was typed is taken by
 * Enter, and by everything that leaves the field; Escape gives it up.
 */
function TokenInput(props: {
  token: string;
  label: string;
  /** Of the record it belongs to. */
  id: string;
  onCommit: (text: string, raw: boolean, isLeft: boolean) => boolean;
  onCancel: () => void;
}) {
  const { token, label, id, onCommit, onCancel } = props;
  // An input drops line breaks, and an escape has several spellings: such a string is edited as it is written.
  const [simple] = useState(token.startsWith('"') && !/[\\\u0000-\u001f\u2028\u2029]/.test(token));
  const [before] = useState(simple ? decodeStringToken(token) : token);
  const [text, setText] = useState(before);
  const input = useRef<HTMLInputElement>(null);
  const settled = useRef(false);
  const take = (isLeft = false): boolean => {
    if (settled.current) return true;
    if (text === before) {
      if (!isLeft) onCancel();
      return true;
    }
    settled.current = onCommit(text, !simple, isLeft);
    return settled.current;
  };
  const latest = useRef({ text, take });
  useLayoutEffect(() => {
    latest.current = { text, take };
  });
  useEffect(() => {
    input.current?.focus();
    input.current?.select();
  }, []);
  useLayoutEffect(() => {
    const close = openField(() => latest.current.take());
    return () => {
      close();
      // Another record came in its place, by a key or by somebody else's hand: what was typed still belongs to this one.
      const { text: typed, take: takeLast } = latest.current;
      if (takeLast(true)) return;
      notify({
        tone: 'danger',
        text: `Not taken for id ${id}, because it is not one JSON value: ${typed.slice(0, 200)}`,
      });
    };
  }, [id]);
  return (
    <input
      ref={input}
      className="tree-input"
      aria-label={simple ? label : `${label}, as JSON`}
      value={text}
      spellCheck={false}
      onChange={(event) => setText(event.target.value)}
      onClick={(event) => event.stopPropagation()}
      onDoubleClick={(event) => event.stopPropagation()}
      onBlur={() => take()}
      onKeyDown={(event) => {
        // Enter may also end the composition of a character.
        if (event.nativeEvent.isComposing || (event.key !== 'Enter' && event.key !== 'Escape')) return;
        event.preventDefault();
        event.stopPropagation();
        if (event.key === 'Enter') take();
        else {
          settled.current = true;
          onCancel();
        }
      }}
    />
  );
}

/**
 * A choice by mouse is made at once. With keys the closed list changes at each arrow, so that it would be made at the first one: there it
 * waits for Enter, or for the focus to go on.
 */
function KindSelect(props: { kind: NodeKind; onCommit: (kind: NodeKind) => void; onCancel: () => void }) {
  const { onCommit, onCancel } = props;
  const [kind, setKind] = useState(props.kind);
  const select = useRef<HTMLSelectElement>(null);
  const byKey = useRef(true);
  const settled = useRef(false);
  useEffect(() => select.current?.focus(), []);
  const settle = (chosen: NodeKind | null) => {
    if (settled.current) return;
    settled.current = true;
    if (chosen === null || chosen === props.kind) onCancel();
    else onCommit(chosen);
  };
  return (
    <select
      ref={select}
      className="tree-input"
      aria-label="Type"
      value={kind}
      onPointerDown={() => {
        byKey.current = false;
      }}
      onClick={(event) => event.stopPropagation()}
      onChange={(event) => {
        const chosen = event.target.value as NodeKind;
        setKind(chosen);
        if (!byKey.current) settle(chosen);
      }}
      onBlur={() => settle(kind)}
      onKeyDown={(event) => {
        byKey.current = true;
        if (event.key !== 'Enter' && event.key !== 'Escape') return;
        event.preventDefault();
        event.stopPropagation();
        settle(event.key === 'Enter' ? kind : null);
      }}
    >
      {KINDS.map((one) => (
        <option key={one} value={one}>
          {one}
        </option>
      ))}
    </select>
  );
}

/** How many there are, as it is drawn: the kind is in the brackets. */
function containerSigns(tree: SyntaxTree, node: number): string {
  const count = formatCount(tree.childCount(node));
  return tree.kind(node) === 'object' ? `{ ${count} }` : `[ ${count} ]`;
}

/** The same as a screen reader says it. */
function containerWords(tree: SyntaxTree, node: number): string {
  const count = tree.childCount(node);
  return `${tree.kind(node)}, ${formatCount(count)} ${count === 1 ? 'value' : 'values'}`;
}
