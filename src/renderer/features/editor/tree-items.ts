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
