import type { SyntaxTree } from '../../../core/json/syntax.ts';

/** What is open under one value: itself, and by their positions the values in it of which something was opened. */
interface Opened {
  open: boolean;
  inner: Map<number, Opened>;
}

/**
 * Which containers of a tree are open, by the positions that lead to them (key paths would not do: keys may be duplicate). One step of a
 * path at a time, because a payload may nest ten thousand levels: rejected are whole paths as keys, which cost the square of that.
 */
export class Expansion {
  /** The whole is open at first. */
  readonly root: Opened = { open: true, inner: new Map() };

  isOpen(path: readonly number[]): boolean {
    let at: Opened | undefined = this.root;
    for (const position of path) at = at?.inner.get(position);
    return at?.open ?? false;
  }

  set(path: readonly number[], open: boolean): void {
    this.#at(path).open = open;
  }

  /** Opens everything that a value lies in. Returns whether anything was closed. */
  openAround(path: readonly number[]): boolean {
    let changed = false;
    let at = this.root;
    for (const position of path) {
      changed ||= !at.open;
      at.open = true;
      at = innerOf(at, position);
    }
    return changed;
  }

  /** Opens values that lie in one container, by their positions. */
  openAll(container: readonly number[], positions: Iterable<number>): void {
    const at = this.#at(container);
    for (const position of positions) innerOf(at, position).open = true;
  }

  #at(path: readonly number[]): Opened {
    return path.reduce(innerOf, this.root);
  }
}

function innerOf(at: Opened, position: number): Opened {
  let inner = at.inner.get(position);
  if (!inner) {
    inner = { open: false, inner: new Map() };
    at.inner.set(position, inner);
  }
  return inner;
}

/** A value of the tree that shows. */
export interface TreeItem {
  node: number;
  /** The item it lies in, -1 for the whole, and its position there. */
  parent: number;
  position: number;
  /** How many containers it lies in. */
  depth: number;
  /** How many values its container holds. */
  siblings: number;
  /** Whether what it holds shows. */
  open: boolean;
  /** The item behind the last one that lies in it. */
  end: number;
}

/** The values that show, in the order of the text: those whose containers are all open. Costs what shows, and no stack. */
export function flattenTree(tree: SyntaxTree, expansion: Expansion): TreeItem[] {
  const items: TreeItem[] = [];
  const levels: { item: number; inner: Opened['inner']; child: number; position: number; count: number }[] = [];
  const add = (node: number, parent: number, position: number, siblings: number, opened: Opened | undefined): void => {
    const item = items.length;
    const open = opened?.open === true && tree.isContainer(node);
    items.push({ node, parent, position, depth: levels.length, siblings, open, end: item + 1 });
    if (!open) return;
    const child = tree.firstChild(node);
    levels.push({ item, inner: opened.inner, child, position: 0, count: tree.childCount(node) });
  };
  add(0, -1, 0, 1, expansion.root);
  for (let level = levels.at(-1); level; level = levels.at(-1)) {
    const { child, position } = level;
    if (child < 0) {
      items[level.item]!.end = items.length;
      levels.pop();
      continue;
    }
    level.child = tree.nextSibling(child);
    level.position++;
    add(child, level.item, position, level.count, level.inner.get(position));
  }
  return items;
}

/** The positions that lead to an item; empty for the whole. */
export function pathOf(items: readonly TreeItem[], index: number): number[] {
  const path: number[] = [];
  for (let at = items[index]!; at.parent >= 0; at = items[at.parent]!) path.push(at.position);
  return path.reverse();
}

/** Where a path stands among the items; where it is not there, the sibling in its place or before it, else what it would lie in. */
export function nearestItem(items: readonly TreeItem[], path: readonly number[]): number {
  let at = 0;
  for (const position of path) {
    let child = at + 1;
    if (child === items[at]!.end) return at;
    const place = Math.min(position, items[child]!.siblings - 1);
    while (items[child]!.position < place) child = items[child]!.end;
    at = child;
    if (place < position) return at;
  }
  return at;
}

/** Where a path stands among the items; -1 where it is not there. */
export function itemAt(items: readonly TreeItem[], path: readonly number[]): number {
  const at = nearestItem(items, path);
  const { depth, position } = items[at]!;
  return depth === path.length && (depth === 0 || position === path.at(-1)) ? at : -1;
}

/**
 * The next item whose key (or place in an array) begins with what was typed, around the end; -1 where there is none. More letters may stay
 * on the same item, one letter goes on to the next, and so does the same letter again.
 */
export function typedItem(items: readonly TreeItem[], tree: SyntaxTree, from: number, typed: string): number {
  const again = [...typed].every((letter) => letter === typed[0]);
  const wanted = (again ? typed[0]! : typed).toLowerCase();
  for (let step = again ? 1 : 0; step <= items.length; step++) {
    const index = (from + step) % items.length;
    const { node, depth, position } = items[index]!;
    const name = tree.key(node) ?? (depth === 0 ? '' : String(position));
    if (name.toLowerCase().startsWith(wanted)) return index;
  }
  return -1;
}
