import type { SyntaxTree } from '../../../core/json/syntax.ts';

/** A value of the tree that shows: its node, the positions that lead to it, and how many values stand beside it. */
export interface TreeItem {
  node: number;
  path: readonly number[];
  siblings: number;
}

/** An index path as a key; empty for the root. Key paths would not do: keys may be duplicate. */
export function pathKey(path: readonly number[]): string {
  return path.join('/');
}

/** The values that show, in the order of the text: those whose containers are all expanded. Costs what shows, not what is there. */
export function flattenTree(tree: SyntaxTree, expanded: ReadonlySet<string>): TreeItem[] {
  const items: TreeItem[] = [];
  const visit = (node: number, path: readonly number[], siblings: number): void => {
    items.push({ node, path, siblings });
    if (!tree.isContainer(node) || !expanded.has(pathKey(path))) return;
    const count = tree.childCount(node);
    let position = 0;
    for (const child of tree.children(node)) visit(child, [...path, position++], count);
  };
  visit(0, [], 1);
  return items;
}

/** Where a path stands among the items; where it is not there, the sibling in its place or before it, else what it would lie in. */
export function nearestItem(items: readonly TreeItem[], path: readonly number[]): number {
  const places = new Map(items.map((item, index) => [pathKey(item.path), index]));
  for (let depth = path.length; depth > 0; depth--) {
    const parent = path.slice(0, depth - 1);
    const container = places.get(pathKey(parent));
    if (container === undefined) continue;
    // All siblings carry their number, so the last one is found without counting.
    const siblings = items[container + 1]?.path.length === depth ? items[container + 1]!.siblings : 0;
    const found = places.get(pathKey([...parent, Math.min(path[depth - 1]!, siblings - 1)]));
    return found ?? container;
  }
  return 0;
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
    const { node, path } = items[index]!;
    const name = tree.key(node) ?? String(path.at(-1) ?? '');
    if (name.toLowerCase().startsWith(wanted)) return index;
  }
  return -1;
}
