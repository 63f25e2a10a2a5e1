import { isolateHistory } from '@codemirror/commands';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, useEffect, useLayoutEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import { isExpired, largeIntegers, readConventions } from '../../../core/json/conventions.ts';
import {
  changeKind,
  duplicate,
  type EditRefusal,
  type EditResult,
  insertChild,
  moveChild,
  removeChild,
  renameKey,
  setValue,
} from '../../../core/json/edit.ts';
import {
  decodeStringToken,
  type NodeKind,
  parseSyntax,
  type SyntaxTree,
  stringToken,
} from '../../../core/json/syntax.ts';
import { formatCount } from '../../components/format.ts';
import { Icon } from '../../components/icon.tsx';
import { VisibleText } from '../../components/visible-text.tsx';
import { announce } from '../../state/announcements.ts';
import { notify } from '../../state/application.ts';
import type { PayloadDocument } from '../../state/documents.ts';
import { openField } from '../../state/open-field.ts';
import { useShownDocument } from '../../state/shown-document.ts';
import { editorIsWanted } from '../commands/focus.ts';
import { flattenTree, pathKey, type TreeItem } from './tree-items.ts';

const ITEM_HEIGHT = 24;
const KINDS: readonly NodeKind[] = ['object', 'array', 'string', 'number', 'boolean', 'null'];
const REFUSAL_WORDS: Readonly<Partial<Record<EditRefusal, string>>> = {
  'value-not-json': 'This is not one JSON value. Correct it, or press Escape to leave it as it was.',
  'key-not-a-string': 'A key is a JSON string. Correct it, or press Escape to leave it as it was.',
  root: 'The whole payload cannot be moved, duplicated or deleted.',
};

type Part = 'value' | 'key' | 'type';
/** What is being edited in a field: of which document, because another one may come in its place meanwhile. */
interface Editing {
  document: PayloadDocument;
  path: readonly number[];
  what: Part;
}

/** Takes what stands in a field into the text. `isLeft`: the field is gone from the window. */
type Commit = (field: Editing, text: string, raw: boolean, isLeft: boolean) => boolean;

/**
 * The payload as a tree. Every operation changes only the characters of its place, in the same text the code view shows, so that
 * literal forms, order and duplicate keys stay, and undo and redo run across both views.
 */
export function TreeView({ document: payload }: { document: PayloadDocument }) {
  const version = useSyncExternalStore(payload.subscribe, () => payload.version);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the document changes in place, its version says so
  const parsed = useMemo(() => parseSyntax(payload.text), [payload, version]);
  if (!parsed.ok) {
    return (
      <div className="detail-empty">
        <p>The text is not JSON yet, so there is no tree of it. The code view shows where.</p>
      </div>
    );
  }
  return <Tree document={payload} tree={parsed.tree} />;
}

function Tree({ document: payload, tree }: { document: PayloadDocument; tree: SyntaxTree }) {
  const [expanded, setExpanded] = useState<ReadonlySet<string>>(() => new Set(['']));
  const [selected, setSelected] = useState<readonly number[]>([]);
  const [field, setField] = useState<Editing | null>(null);
  const editing = field?.document === payload ? field : null;
  const [problem, setProblem] = useState<string | null>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const focusWanted = useRef(false);
  const items = useMemo(() => flattenTree(tree, expanded), [tree, expanded]);
  const hints = useMemo(() => valueHints(tree, new Date()), [tree]);
  const selectedKey = pathKey(selected);
  const at = Math.max(
    0,
    items.findIndex((item) => pathKey(item.path) === selectedKey),
  );
  const item = items[at]!;
  const virtual = useVirtualizer({
    count: items.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ITEM_HEIGHT,
    overscan: 12,
    initialRect: { width: 400, height: 400 },
    // The selected item holds the tab stop: it stays, wherever one scrolls.
    rangeExtractor: ({ startIndex, endIndex }) => {
      const indexes = Array.from({ length: endIndex - startIndex + 1 }, (_, index) => startIndex + index);
      return at < startIndex ? [at, ...indexes] : at > endIndex ? [...indexes, at] : indexes;
    },
  });

  useLayoutEffect(() => {
    if (!focusWanted.current || editing) return;
    const element = scroller.current?.querySelector<HTMLElement>('[role="treeitem"][tabindex="0"]');
    if (!element) return;
    focusWanted.current = false;
    element.focus({ preventScroll: true });
  });
  useEffect(() => {
    const focus = () => scroller.current?.querySelector<HTMLElement>('[role="treeitem"][tabindex="0"]')?.focus();
    document.addEventListener('velescope-focus-editor', focus);
    if (editorIsWanted()) focus();
    return () => document.removeEventListener('velescope-focus-editor', focus);
  }, []);

  const edit = (path: readonly number[], what: Part) => setField({ document: payload, path, what });
  /** Whether a field is open that would not be taken: it is not left behind while something else is done to the tree. */
  const isHeld = (): boolean => {
    if (!editing) return false;
    scroller.current?.querySelector<HTMLElement>('.tree-input')?.focus();
    return true;
  };
  // The cursor of the code goes along, so that the path below is that of the selected value.
  const select = (path: readonly number[], focus = true) => {
    if (isHeld()) return;
    setSelected(path);
    const node = tree.nodeAtPath(path);
    if (node >= 0) payload.dispatch({ selection: { anchor: tree.memberStart(node) } });
    focusWanted.current = focus;
    const index = items.findIndex((entry) => pathKey(entry.path) === pathKey(path));
    if (index >= 0) virtual.scrollToIndex(index, { align: 'auto' });
  };
  // A value that was gone to by its path: what it lies in is expanded, then it is selected and scrolled to.
  const gone = useShownDocument((state) => (state.gone?.document === payload ? state.gone : null));
  const revealed = useRef<typeof gone>(null);
  useEffect(() => {
    if (!gone || revealed.current === gone) return;
    const { indexPath } = gone;
    const around = indexPath.map((_, depth) => pathKey(indexPath.slice(0, depth)));
    if (around.some((key) => !expanded.has(key))) {
      setExpanded((now) => new Set([...now, ...around]));
      return;
    }
    revealed.current = gone;
    setSelected(indexPath);
    const index = items.findIndex((entry) => pathKey(entry.path) === pathKey(indexPath));
    if (index >= 0) virtual.scrollToIndex(index, { align: 'center' });
  }, [gone, expanded, items, virtual]);
  const toggle = (path: readonly number[], open?: boolean) => {
    setExpanded((now) => {
      const next = new Set(now);
      const key = pathKey(path);
      if (open ?? !next.has(key)) next.add(key);
      else next.delete(key);
      return next;
    });
  };

  /** Makes an edit, as one step of the history. */
  const write = (result: EditResult, words: string): boolean => {
    if (!result.ok) return false;
    if (result.edits.length > 0) {
      payload.dispatch({
        changes: result.edits.map(({ from, to: end, insert }) => ({ from, to: end, insert })),
        annotations: isolateHistory.of('full'),
        userEvent: 'input.tree',
      });
      announce(words);
    }
    return true;
  };
  /** The same; then the selection goes where the operation says. */
  const apply = (result: EditResult, words: string, to: readonly number[] = item.path): boolean => {
    setProblem(result.ok ? null : (REFUSAL_WORDS[result.refusal] ?? `This cannot be done here (${result.refusal}).`));
    if (!write(result, words)) return false;
    setSelected(to);
    focusWanted.current = true;
    return true;
  };

  const parentPath = item.path.slice(0, -1);
  const position = item.path.at(-1) ?? 0;
  const sibling = (which: number) => [...parentPath, which];
  const actions = {
    edit: () => {
      if (tree.isContainer(item.node)) toggle(item.path);
      else edit(item.path, 'value');
    },
    rename: () => {
      if (tree.keyToken(item.node) !== null) edit(item.path, 'key');
    },
    type: () => edit(item.path, 'type'),
    add: () => {
      const inside = tree.isContainer(item.node);
      const container = inside ? item.node : tree.parent(item.node);
      if (container < 0) {
        setProblem('A single value holds no others: change its type first.');
        return;
      }
      const place = inside ? tree.childCount(container) : position + 1;
      const key = tree.kind(container) === 'object' ? { key: stringToken(freeKey(tree, container)) } : {};
      const path = inside ? [...item.path, place] : sibling(place);
      if (apply(insertChild(tree, container, place, { ...key, value: 'null' }), 'Added.', path)) {
        if (inside) toggle(item.path, true);
        edit(path, 'key' in key ? 'key' : 'value');
      }
    },
    duplicate: () => {
      apply(duplicate(tree, item.node), 'Duplicated.', sibling(position + 1));
    },
    up: () => {
      if (position > 0) apply(moveChild(tree, item.node, position - 1), 'Moved up.', sibling(position - 1));
    },
    down: () => {
      const parent = tree.parent(item.node);
      if (parent >= 0 && position < tree.childCount(parent) - 1) {
        apply(moveChild(tree, item.node, position + 1), 'Moved down.', sibling(position + 1));
      }
    },
    remove: () => {
      const parent = tree.parent(item.node);
      const left = parent < 0 ? 0 : tree.childCount(parent) - 1;
      apply(removeChild(tree, item.node), 'Deleted.', left === 0 ? parentPath : sibling(Math.min(position, left - 1)));
    },
  };

  /** What a field stands for, as an edit of the place it was opened for. */
  const editOf = ({ path, what }: Editing, text: string, raw: boolean): [EditResult, string] => {
    const node = tree.nodeAtPath(path);
    const token = raw ? text : stringToken(text);
    if (what === 'key') return [renameKey(tree, node, token), 'Renamed.'];
    if (what === 'type') return [changeKind(tree, node, text as NodeKind), `Now ${text}.`];
    return [setValue(tree, node, token), 'Changed.'];
  };
  const commit: Commit = (field, text, raw, isLeft) => {
    const [result, words] = editOf(field, text, raw);
    // The tree is another record's by now.
    if (isLeft) return write(result, words);
    if (!apply(result, words, field.path)) return false;
    setField(null);
    return true;
  };
  const cancel = () => {
    setField(null);
    setProblem(null);
    focusWanted.current = true;
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (editing) return;
    const modifier = event.ctrlKey || event.metaKey;
    const handler = keyAction(event, modifier);
    if (!handler) return;
    event.preventDefault();
    event.stopPropagation();
    handler();
  };
  const keyAction = (event: KeyboardEvent, modifier: boolean): (() => void) | null => {
    const go = (index: number) => () => select(items[Math.max(0, Math.min(items.length - 1, index))]!.path);
    if (event.altKey) {
      return event.key === 'ArrowUp' ? actions.up : event.key === 'ArrowDown' ? actions.down : null;
    }
    if (modifier) {
      switch (event.key.toLowerCase()) {
        case 'd':
          return actions.duplicate;
        case 'z':
          return () => void (event.shiftKey ? payload.redo() : payload.undo());
        case 'y':
          return () => void payload.redo();
        default:
          return null;
      }
    }
    switch (event.key) {
      case 'ArrowDown':
        return go(at + 1);
      case 'ArrowUp':
        return go(at - 1);
      case 'Home':
        return go(0);
      case 'End':
        return go(items.length - 1);
      case 'PageDown':
        return go(at + 12);
      case 'PageUp':
        return go(at - 12);
      case 'ArrowRight':
        return () => {
          if (!tree.isContainer(item.node)) return;
          if (!expanded.has(pathKey(item.path))) toggle(item.path, true);
          else if (tree.firstChild(item.node) >= 0) select([...item.path, 0]);
        };
      case 'ArrowLeft':
        return () => {
          if (tree.isContainer(item.node) && expanded.has(pathKey(item.path))) toggle(item.path, false);
          else if (item.path.length > 0) select(parentPath);
        };
      case 'Enter':
      case 'F2':
        return actions.edit;
      case ' ':
        return () => toggle(item.path);
      case 'Insert':
      case '+':
        return actions.add;
      case 'Delete':
        return actions.remove;
      case 'r':
        return actions.rename;
      case 't':
        return actions.type;
      default:
        return null;
    }
  };

  return (
    <>
      <div className="toolbar tree-toolbar" role="toolbar" aria-label="Change the selected value">
        {(
          [
            ['Edit', actions.edit],
            ['Rename', actions.rename],
            ['Type', actions.type],
            ['Add', actions.add],
            ['Duplicate', actions.duplicate],
            ['Up', actions.up, 'Move up'],
            ['Down', actions.down, 'Move down'],
            ['Delete', actions.remove],
          ] as readonly (readonly [string, () => void, string?])[]
        ).map(([label, run, name]) => (
          <button
            key={label}
            type="button"
            className="button small"
            aria-label={name}
            onClick={() => {
              if (!isHeld()) run();
            }}
          >
            {label}
          </button>
        ))}
        {problem ? (
          <span className="tone-danger" role="alert">
            {problem}
          </span>
        ) : null}
      </div>
      <div
        className="tree"
        role="tree"
        aria-label={`Payload of id ${payload.id}`}
        ref={scroller}
        onKeyDown={onKeyDown}
        tabIndex={-1}
      >
        <div role="presentation" style={{ height: virtual.getTotalSize(), position: 'relative' }}>
          {virtual.getVirtualItems().map((entry) => {
            const treeItem = items[entry.index]!;
            const isSelected = entry.index === at;
            return (
              <TreeLine
                key={pathKey(treeItem.path)}
                tree={tree}
                item={treeItem}
                top={entry.start}
                expanded={expanded.has(pathKey(treeItem.path))}
                selected={isSelected}
                hint={hints.get(treeItem.node)}
                editing={editing && pathKey(editing.path) === pathKey(treeItem.path) ? editing : null}
                onSelect={() => select(treeItem.path)}
                onToggle={() => toggle(treeItem.path)}
                onEdit={() => {
                  if (isHeld()) return;
                  select(treeItem.path);
                  if (!tree.isContainer(treeItem.node)) edit(treeItem.path, 'value');
                  else toggle(treeItem.path);
                }}
                onCommit={commit}
                onCancel={cancel}
              />
            );
          })}
        </div>
      </div>
    </>
  );
}

function TreeLine(props: {
  tree: SyntaxTree;
  item: TreeItem;
  top: number;
  expanded: boolean;
  selected: boolean;
  hint: string | undefined;
  editing: Editing | null;
  onSelect: () => void;
  onToggle: () => void;
  onEdit: () => void;
  onCommit: Commit;
  onCancel: () => void;
}) {
  const { tree, item, top, expanded, selected, hint, editing } = props;
  const { node } = item;
  const container = tree.isContainer(node);
  const kind = tree.kind(node);
  const key = tree.key(node);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: keys are handled by the tree
    <div
      role="treeitem"
      className="tree-item"
      aria-level={item.path.length + 1}
      aria-setsize={item.siblings}
      aria-posinset={(item.path.at(-1) ?? 0) + 1}
      aria-selected={selected}
      {...(container ? { 'aria-expanded': expanded } : {})}
      tabIndex={selected && editing === null ? 0 : -1}
      style={{
        position: 'absolute',
        top,
        left: 0,
        right: 0,
        height: ITEM_HEIGHT,
        paddingLeft: `${item.path.length * 1.1 + 0.5}rem`,
      }}
      onClick={props.onSelect}
      onDoubleClick={props.onEdit}
    >
      {/* biome-ignore lint/a11y/noStaticElementInteractions: for the mouse; the tree's keys do the same */}
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: see above */}
      <span className="tree-toggle" onClick={container ? props.onToggle : undefined}>
        {container ? <Icon name={expanded ? 'chevronDown' : 'chevronRight'} /> : null}
      </span>
      {editing?.what === 'key' ? (
        <TokenInput
          token={tree.keyToken(node) ?? '""'}
          label="Key"
          id={editing.document.id}
          onCommit={(text, raw, isLeft) => props.onCommit(editing, text, raw, isLeft)}
          onCancel={props.onCancel}
        />
      ) : item.path.length > 0 ? (
        <span className={key === null ? 'tree-key index' : 'tree-key'}>
          {key === null ? item.path.at(-1) : <VisibleText text={key} />}:
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
            <span className="muted">{containerWords(tree, node)}</span>
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

/** Chosen with the mouse, a kind is taken at once; with keys, each arrow passes one by, and Enter takes it. */
function KindSelect(props: { kind: NodeKind; onCommit: (kind: NodeKind) => void; onCancel: () => void }) {
  const { kind, onCommit, onCancel } = props;
  const select = useRef<HTMLSelectElement>(null);
  const byKey = useRef(false);
  const settled = useRef(false);
  useEffect(() => select.current?.focus(), []);
  const settle = (chosen: NodeKind | null) => {
    if (settled.current) return;
    settled.current = true;
    if (chosen === null || chosen === kind) onCancel();
    else onCommit(chosen);
  };
  return (
    <select
      ref={select}
      className="tree-input"
      aria-label="Type"
      defaultValue={kind}
      onPointerDown={() => {
        byKey.current = false;
      }}
      onClick={(event) => event.stopPropagation()}
      onChange={(event) => {
        if (!byKey.current) settle(event.target.value as NodeKind);
      }}
      onBlur={(event) => settle(event.target.value as NodeKind)}
      onKeyDown={(event) => {
        byKey.current = true;
        if (event.key !== 'Escape' && event.key !== 'Enter') return;
        event.preventDefault();
        event.stopPropagation();
        settle(event.key === 'Enter' ? (event.currentTarget.value as NodeKind) : null);
      }}
    >
      {KINDS.map((name) => (
        <option key={name} value={name}>
          {name}
        </option>
      ))}
    </select>
  );
}

function containerWords(tree: SyntaxTree, node: number): string {
  const count = tree.childCount(node);
  return tree.kind(node) === 'object' ? `{ ${formatCount(count)} }` : `[ ${formatCount(count)} ]`;
}

/** A key the object does not have yet. */
function freeKey(tree: SyntaxTree, object: number, wanted = 'new'): string {
  const keys = new Set([...tree.children(object)].map((child) => tree.key(child)));
  for (let number = 1; ; number++) {
    const key = number === 1 ? wanted : `${wanted} ${number}`;
    if (!keys.has(key)) return key;
  }
}

const HINTED_INTEGERS = 1_000;

/** What stands beside a value: a date for an expiry, what JavaScript tools would make of a big integer. */
function valueHints(tree: SyntaxTree, now: Date): ReadonlyMap<number, string> {
  const hints = new Map<number, string>();
  for (const integer of largeIntegers(tree, HINTED_INTEGERS)) {
    if (integer.javascript !== integer.text) hints.set(integer.node, `JavaScript tools: ${integer.javascript}`);
  }
  const { expiry } = readConventions(tree);
  if (expiry?.seconds != null && expiry.seconds < 8_640_000_000_000n) {
    const words = new Date(Number(expiry.seconds) * 1000).toISOString().replace('.000', '');
    hints.set(
      expiry.node,
      isExpired(expiry.seconds, BigInt(Math.floor(now.getTime() / 1000))) ? `expired ${words}` : words,
    );
  }
  return hints;
}
