/**
 * Paths to values as people write them: `$.user.tags[0]["odd key"]`. Search conditions begin with one, and the editor goes to one.
 */
import { type NodeKind, parseSyntax, type SyntaxTree } from './syntax.ts';

/** A member's name or an element's position. */
export type PathStep = string | number;

/** Where the path ends in the text, or the character that does not fit and what was expected there. */
export type ParsedPath = { ok: true; steps: PathStep[]; end: number } | { ok: false; at: number; expected: string };

/**
 * Reads the path that a text begins with; what stands behind it is the caller's. A name behind a dot ends at a dot, a bracket,
 * white space or a comparison; any other is written in brackets, as a JSON string.
 */
export function parsePath(text: string): ParsedPath {
  if (text[0] !== '$') return { ok: false, at: 0, expected: '$' };
  const steps: PathStep[] = [];
  let at = 1;
  for (;;) {
    if (text[at] === '.') {
      const name = matchAt(/[^.[\]\s=!<>]+/y, text, at + 1)?.[0];
      if (!name) return { ok: false, at: at + 1, expected: 'a name' };
      steps.push(name);
      at += 1 + name.length;
    } else if (text[at] === '[') {
      const inside = matchAt(/\[(?:(\d{1,9})|("(?:[^"\\]|\\.)*"))\]/y, text, at);
      const step = inside && (inside[1] === undefined ? stringOf(inside[2]!) : Number(inside[1]));
      if (step === null) return { ok: false, at: at + 1, expected: 'a number or a quoted name, then ]' };
      steps.push(step);
      at += inside![0].length;
    } else return { ok: true, steps, end: at };
  }
}

function matchAt(sticky: RegExp, text: string, at: number): RegExpExecArray | null {
  sticky.lastIndex = at;
  return sticky.exec(text);
}

function stringOf(token: string): string | null {
  const parsed = parseSyntax(token);
  return parsed.ok ? (JSON.parse(token) as string) : null;
}

/** The text of a path, which `parsePath` reads as the same steps. */
export function printPath(steps: readonly PathStep[]): string {
  return `$${steps
    .map((step) => {
      if (typeof step === 'number') return `[${step}]`;
      return /^[\p{L}_$][\p{L}\p{N}_$-]*$/u.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
    })
    .join('')}`;
}

/** A value in a text, by UTF-16 offsets. `member` is where its key begins, or itself where it has none. */
export interface Place {
  member: number;
  start: number;
  end: number;
  /** Positions from the root, as the tree view names a value. */
  indexPath: number[];
}

/**
 * Where a path leads. `equalKeys` says how many members had a name of the path too, in all steps together: of those the last was
 * taken, which is the one VelesDB reads. Where the path leads nowhere, `matched` is how many of its steps were found, with the kind
 * of value there and how many values are in it.
 */
export type Followed =
  | { state: 'found'; place: Place; equalKeys: number }
  | { state: 'missing'; matched: number; kind: NodeKind; count: number }
  | { state: 'not-json'; offset: number };

/** Follows a path. As in search conditions a number also finds a member of that name, and digits an element. */
export function followPath(tree: SyntaxTree, steps: readonly PathStep[]): Followed {
  let node = 0;
  let equalKeys = 0;
  for (const [matched, step] of steps.entries()) {
    let found = -1;
    const kind = tree.kind(node);
    if (kind === 'object') {
      const name = String(step);
      for (const child of tree.children(node)) {
        if (tree.key(child) !== name) continue;
        if (found >= 0) equalKeys++;
        found = child;
      }
    } else if (kind === 'array' && /^(0|[1-9]\d{0,8})$/.test(String(step))) {
      found = tree.childAt(node, Number(step));
    }
    if (found < 0) return { state: 'missing', matched, kind, count: tree.childCount(node) };
    node = found;
  }
  return { state: 'found', place: placeOf(tree, node), equalKeys };
}

/** The path of the innermost value at an offset. `shadowed`: of equal keys on the way an earlier one, so VelesDB does not read it. */
export interface PathAt {
  steps: PathStep[];
  shadowed: boolean;
}

/** The path of the value at a UTF-16 offset of the text: in its key, in the value itself, or in the white space behind. */
export function pathAt(tree: SyntaxTree, offset: number): PathAt {
  const steps: PathStep[] = [];
  let shadowed = false;
  for (let node = tree.nodeAtOffset(offset); tree.parent(node) >= 0; node = tree.parent(node)) {
    const key = tree.key(node);
    steps.push(key ?? tree.position(node));
    for (let next = key === null ? -1 : tree.nextSibling(node); next >= 0 && !shadowed; next = tree.nextSibling(next))
      shadowed = tree.key(next) === key;
  }
  return { steps: steps.reverse(), shadowed };
}

function placeOf(tree: SyntaxTree, node: number): Place {
  return {
    member: tree.memberStart(node),
    start: tree.start(node),
    end: tree.end(node),
    indexPath: tree.indexPath(node),
  };
}
