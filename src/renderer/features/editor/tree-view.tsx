import { isolateHistory } from '@codemirror/commands';
import { useVirtualizer } from '@tanstack/react-virtual';
import {
  type KeyboardEvent,
  useEffect,
  useLayoutEffect,
  useMemo,
  useReducer,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react';
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
import { type NodeKind, parseSyntax, type SyntaxTree, stringToken } from '../../../core/json/syntax.ts';
import { announce } from '../../state/announcements.ts';
import type { PayloadDocument } from '../../state/documents.ts';
import { useShownDocument } from '../../state/shown-document.ts';
import { editorIsWanted } from '../commands/focus.ts';
import { Expansion, flattenTree, itemAt, nearestItem, pathOf, typedItem } from './tree-items.ts';
import { type CommitField, type EditedPart, type Editing, ITEM_HEIGHT, TreeLine } from './tree-line.tsx';
import { TreeMenu } from './tree-menu.tsx';
import { type TreeAction, TreeToolbar } from './tree-toolbar.tsx';
import { valueHints } from './value-hints.ts';

const REFUSAL_WORDS: Readonly<Partial<Record<EditRefusal, string>>> = {
  'value-not-json': 'This is not one JSON value. Correct it, or press Escape to leave it as it was.',
  'key-not-a-string': 'A key is a JSON string. Correct it, or press Escape to leave it as it was.',
  root: 'The whole payload cannot be moved, duplicated or deleted.',
};

/** Letters that come closer together than this are one word to look for. */
const TYPE_AHEAD_MILLISECONDS = 800;

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
  const [expansion] = useState(() => new Expansion());
  // It changes in place.
  const [opened, noteOpened] = useReducer((count: number) => count + 1, 0);
  const [selected, setSelected] = useState<readonly number[]>([]);
  const [field, setField] = useState<Editing | null>(null);
  const editing = field?.document === payload ? field : null;
  const [problem, setProblem] = useState<string | null>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const focusWanted = useRef(false);
  const typed = useRef({ text: '', until: 0 });
  // biome-ignore lint/correctness/useExhaustiveDependencies: the expansion changes in place, `opened` says so
  const items = useMemo(() => flattenTree(tree, expansion), [tree, expansion, opened]);
  const hints = useMemo(() => valueHints(tree, new Date()), [tree]);
  // After an undo the selected value may be gone: then the nearest to it is selected.
  const at = useMemo(() => nearestItem(items, selected), [items, selected]);
  const item = items[at]!;
  const itemPath = useMemo(() => pathOf(items, at), [items, at]);
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
    // The line is in the page wherever it is, and the browser's own scrolling would put it at an edge.
    virtual.scrollToIndex(at, { align: 'auto' });
  });
  useEffect(() => {
    const focus = () => focusLine(scroller.current);
    document.addEventListener('velescope-focus-editor', focus);
    if (editorIsWanted()) focus();
    return () => document.removeEventListener('velescope-focus-editor', focus);
  }, []);

  const edit = (path: readonly number[], what: EditedPart) => setField({ document: payload, path, what });
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
    const index = itemAt(items, path);
    if (index >= 0) virtual.scrollToIndex(index, { align: 'auto' });
  };
  const selectItem = (index: number) => select(pathOf(items, index));
  // A value that was gone to by its path: what it lies in is expanded, then it is selected and scrolled to.
  const gone = useShownDocument((state) => (state.gone?.document === payload ? state.gone : null));
  const revealed = useRef<typeof gone>(null);
  useEffect(() => {
    if (!gone || revealed.current === gone) return;
    const { indexPath } = gone;
    if (expansion.openAround(indexPath)) {
      noteOpened();
      return;
    }
    revealed.current = gone;
    setSelected(indexPath);
    const index = itemAt(items, indexPath);
    if (index >= 0) virtual.scrollToIndex(index, { align: 'center' });
  }, [gone, expansion, items, virtual]);
  const toggle = (path: readonly number[], open = !expansion.isOpen(path)) => {
    expansion.set(path, open);
    noteOpened();
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
  const apply = (result: EditResult, words: string, to: readonly number[] = itemPath): boolean => {
    setProblem(result.ok ? null : (REFUSAL_WORDS[result.refusal] ?? `This cannot be done here (${result.refusal}).`));
    if (!write(result, words)) return false;
    setSelected(to);
    focusWanted.current = true;
    return true;
  };

  const { position } = item;
  const parentPath = itemPath.slice(0, -1);
  const sibling = (which: number) => [...parentPath, which];
  const actions = {
    edit: () => {
      if (tree.isContainer(item.node)) toggle(itemPath);
      else edit(itemPath, 'value');
    },
    rename: () => {
      if (tree.keyToken(item.node) !== null) edit(itemPath, 'key');
    },
    type: () => edit(itemPath, 'type'),
    add: () => {
      const inside = tree.isContainer(item.node);
      const container = inside ? item.node : tree.parent(item.node);
      if (container < 0) {
        setProblem('A single value holds no others: change its type first.');
        return;
      }
      const place = inside ? tree.childCount(container) : position + 1;
      const key = tree.kind(container) === 'object' ? { key: stringToken(freeKey(tree, container)) } : {};
      const path = inside ? [...itemPath, place] : sibling(place);
      if (apply(insertChild(tree, container, place, { ...key, value: 'null' }), 'Added.', path)) {
        if (inside) toggle(itemPath, true);
        edit(path, 'key' in key ? 'key' : 'value');
      }
    },
    copy: () => {
      const text = payload.text.slice(tree.start(item.node), tree.end(item.node));
      navigator.clipboard.writeText(text).then(
        () => announce('Copied.'),
        () => setProblem('The clipboard refused the text.'),
      );
    },
    duplicate: () => {
      apply(duplicate(tree, item.node), 'Duplicated.', sibling(position + 1));
    },
    up: () => {
      if (position > 0) apply(moveChild(tree, item.node, position - 1), 'Moved up.', sibling(position - 1));
    },
    down: () => {
      const parent = tree.parent(item.node);
      if (parent >= 0 && position < item.siblings - 1) {
        apply(moveChild(tree, item.node, position + 1), 'Moved down.', sibling(position + 1));
      }
    },
    remove: () => {
      const parent = tree.parent(item.node);
      const left = parent < 0 ? 0 : item.siblings - 1;
      apply(removeChild(tree, item.node), 'Deleted.', left === 0 ? parentPath : sibling(Math.min(position, left - 1)));
    },
  };

  /** What a field stands for, as an edit of the place it was opened for. */
  const editOf = ({ path, what }: Editing, text: string, raw: boolean): [EditResult, string] | null => {
    const node = tree.nodeAtPath(path);
    if (node < 0) return null;
    const token = raw ? text : stringToken(text);
    if (what === 'key') return [renameKey(tree, node, token), 'Renamed.'];
    if (what === 'type') return [changeKind(tree, node, text as NodeKind), `Now ${text}.`];
    return [setValue(tree, node, token), 'Changed.'];
  };
  const commit: CommitField = (field, text, raw, isLeft) => {
    const edited = editOf(field, text, raw);
    // The tree is another record's by now.
    if (isLeft) return edited !== null && write(...edited);
    if (edited === null) {
      cancel();
      return true;
    }
    if (!apply(...edited, field.path)) return false;
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
    const go = (index: number) => () => selectItem(Math.max(0, Math.min(items.length - 1, index)));
    // A line of the page before stays in sight.
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / ITEM_HEIGHT) - 1);
    const undo = (back: boolean) => () => {
      if (back) payload.undo();
      else payload.redo();
      // The focused line may have gone with it.
      focusWanted.current = true;
    };
    if (event.altKey) {
      return event.key === 'ArrowUp' ? actions.up : event.key === 'ArrowDown' ? actions.down : null;
    }
    if (modifier) {
      switch (event.key.toLowerCase()) {
        case 'd':
          return actions.duplicate;
        case 'c':
          return actions.copy;
        case 'z':
          return undo(!event.shiftKey);
        case 'y':
          return undo(false);
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
        return go(at + page);
      case 'PageUp':
        return go(at - page);
      case 'ArrowRight':
        return () => {
          if (!tree.isContainer(item.node)) return;
          if (!item.open) toggle(itemPath, true);
          else if (item.end > at + 1) selectItem(at + 1);
        };
      case 'ArrowLeft':
        return () => {
          if (item.open) toggle(itemPath, false);
          else if (item.parent >= 0) selectItem(item.parent);
        };
      case 'Enter':
        return event.shiftKey ? actions.type : actions.edit;
      case 'F2':
        return event.shiftKey ? actions.rename : actions.edit;
      case ' ':
        return () => toggle(itemPath);
      case 'Insert':
      case '+':
        return actions.add;
      case 'Delete':
        return actions.remove;
      case '*':
        return expandSiblings;
      default:
        return event.key.length === 1 ? () => typeAhead(event.key) : null;
    }
  };
  const expandSiblings = () => {
    const parent = tree.parent(item.node);
    if (parent < 0) {
      toggle([], true);
      return;
    }
    const containers: number[] = [];
    let place = 0;
    for (const node of tree.children(parent)) {
      if (tree.isContainer(node)) containers.push(place);
      place++;
    }
    expansion.openAll(parentPath, containers);
    noteOpened();
  };
  const typeAhead = (letter: string) => {
    const now = Date.now();
    const before = typed.current.until > now ? typed.current.text : '';
    typed.current = { text: before + letter, until: now + TYPE_AHEAD_MILLISECONDS };
    const found = typedItem(items, tree, at, typed.current.text);
    if (found >= 0) selectItem(found);
  };

  const editingAt = editing ? itemAt(items, editing.path) : -1;
  const isMember = tree.keyToken(item.node) !== null;
  const parent = tree.parent(item.node);
  const isRoot = parent < 0;
  const isContainer = tree.isContainer(item.node);
  const returnFocus = () => {
    // A field that the menu's choice opened has it already.
    if (!scroller.current?.contains(document.activeElement)) focusLine(scroller.current);
  };
  const guarded = (action: TreeAction): TreeAction => ({
    ...action,
    run: () => {
      if (!isHeld()) action.run();
    },
  });
  const list = [
    {
      label: isContainer ? 'Open or close' : 'Edit the value',
      short: 'Edit',
      keys: 'F2',
      run: actions.edit,
      can: true,
    },
    { label: 'Rename the key', short: 'Rename', keys: 'Shift+F2', run: actions.rename, can: isMember },
    { label: 'Change the type', short: 'Type', keys: 'Shift+Enter', run: actions.type, can: true },
    {
      label: isContainer ? 'Add a value inside' : 'Add a value below',
      short: 'Add',
      keys: 'Insert',
      run: actions.add,
      can: isContainer || !isRoot,
    },
    { label: 'Duplicate', short: 'Duplicate', keys: 'Mod+D', run: actions.duplicate, can: !isRoot },
    { label: 'Move up', short: 'Up', keys: 'Alt+Up', run: actions.up, can: !isRoot && position > 0 },
    {
      label: 'Move down',
      short: 'Down',
      keys: 'Alt+Down',
      run: actions.down,
      can: !isRoot && position < item.siblings - 1,
    },
    { label: 'Delete', short: 'Delete', keys: 'Delete', run: actions.remove, can: !isRoot },
  ].map(guarded);
  const more = [{ label: 'Copy the value', short: 'Copy', keys: 'Mod+C', run: actions.copy, can: true }].map(guarded);

  return (
    <>
      <TreeToolbar actions={list}>
        {problem ? (
          <span className="tone-danger" role="alert">
            {problem}
          </span>
        ) : null}
      </TreeToolbar>
      <TreeMenu actions={[...list, ...more]} onClosed={returnFocus}>
        <div
          className="tree"
          role="tree"
          aria-label={`Payload of id ${payload.id}`}
          ref={scroller}
          onKeyDown={onKeyDown}
          tabIndex={-1}
          // The menu is about the value it was opened on; by key that is the selected one.
          onContextMenuCapture={(event) => {
            const line = (event.target as Element).closest<HTMLElement>('[data-item]');
            const index = Number(line?.dataset.item ?? -1);
            if (index >= 0 && index < items.length) selectItem(index);
          }}
        >
          <div role="presentation" style={{ height: virtual.getTotalSize(), position: 'relative' }}>
            {virtual.getVirtualItems().map((entry) => {
              const treeItem = items[entry.index]!;
              const isSelected = entry.index === at;
              return (
                <TreeLine
                  key={treeItem.node}
                  index={entry.index}
                  tree={tree}
                  item={treeItem}
                  top={entry.start}
                  selected={isSelected}
                  hint={hints.get(treeItem.node)}
                  editing={entry.index === editingAt ? editing : null}
                  onSelect={() => selectItem(entry.index)}
                  onToggle={() => toggle(pathOf(items, entry.index))}
                  onEdit={() => {
                    if (isHeld()) return;
                    selectItem(entry.index);
                    const path = pathOf(items, entry.index);
                    if (!tree.isContainer(treeItem.node)) edit(path, 'value');
                    else toggle(path);
                  }}
                  onCommit={commit}
                  onCancel={cancel}
                />
              );
            })}
          </div>
        </div>
      </TreeMenu>
    </>
  );
}

function focusLine(scroller: HTMLElement | null): void {
  scroller?.querySelector<HTMLElement>('[role="treeitem"][tabindex="0"]')?.focus();
}

/** A key the object does not have yet. */
function freeKey(tree: SyntaxTree, object: number, wanted = 'new'): string {
  const keys = new Set([...tree.children(object)].map((child) => tree.key(child)));
  for (let number = 1; ; number++) {
    const key = number === 1 ? wanted : `${wanted} ${number}`;
    if (!keys.has(key)) return key;
  }
}
