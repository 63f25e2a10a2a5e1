/**
 * Tree operations as edits of the text: each changes the characters of the place it is about and no others, so that the literal forms
 * of numbers, escapes, duplicate keys, order and white space everywhere else stay what they were. Layout around an edited place is
 * copied from its neighbours.
 *
 * Every edit is made for the text of the tree it was given; parse again before the next one.
 */
import { indent, isCompact, storedText } from './layout.ts';
import { decodeStringToken, type NodeKind, parseSyntax, type SyntaxTree, stringToken } from './syntax.ts';

/** Replace the characters from `from` up to `to` (UTF-16 offsets in the text before any edit) by `insert`. */
export interface TextEdit {
  from: number;
  to: number;
  insert: string;
}

/** Why an operation was refused; the text is as it was. */
export type EditRefusal =
  /** The text given for a value is not one JSON value. */
  | 'value-not-json'
  /** The text given for a key is not a JSON string, quotes included. */
  | 'key-not-a-string'
  /** A member of an object needs a key; an element of an array has none. */
  | 'key-missing'
  | 'key-not-allowed'
  /** The whole payload cannot be removed, moved or duplicated, only replaced. */
  | 'root'
  /** Something was to be put into a value that holds none. */
  | 'not-a-container'
  /** There is no such position in the container. */
  | 'position-out-of-range';

/** The edits, ascending and not overlapping (none if nothing changes), or why there are none. */
export type EditResult = { ok: true; edits: TextEdit[] } | { ok: false; refusal: EditRefusal };

/** How new text is laid out where no neighbour shows it. */
export interface Layout {
  /** The line break between values, empty where they share one line. */
  newline: string;
  /** One level of indentation. */
  unit: string;
  afterColon: string;
  /** Behind a comma, where values share one line. */
  afterComma: string;
}

/** The layout of text that was stored compact and is displayed indented; needed where it is too small to show it (`{}`). */
export const DISPLAYED_LAYOUT: Layout = { newline: '\n', unit: '  ', afterColon: ' ', afterComma: ' ' };

const COMPACT_LAYOUT: Layout = { newline: '', unit: '', afterColon: '', afterComma: '' };

/** Far enough into a text to have seen its layout. */
const NODES_LOOKED_AT = 1000;

/** The layout of a text, from its first lines, colons and commas. */
export function layoutOf(tree: SyntaxTree): Layout {
  const layout: Layout = { ...COMPACT_LAYOUT };
  let colonSeen = false;
  let commaSeen = false;
  for (let node = 1; node < Math.min(tree.count, NODES_LOOKED_AT); node++) {
    const before = spaceBefore(tree.text, tree.memberStart(node));
    const lineBreak = /\r?\n|\r/.exec(before);
    if (lineBreak !== null) {
      layout.newline ||= lineBreak[0];
      const own = lastLine(before);
      const outer = lineIndent(tree.text, tree.start(tree.parent(node)));
      if (layout.unit === '' && own.length > outer.length && own.startsWith(outer))
        layout.unit = own.slice(outer.length);
    } else if (!commaSeen && tree.text[tree.memberStart(node) - before.length - 1] === ',') {
      commaSeen = true;
      layout.afterComma = before;
    }
    if (!colonSeen && tree.keyEnd(node) >= 0) {
      colonSeen = true;
      layout.afterColon = spaceBefore(tree.text, tree.start(node));
    }
  }
  if (layout.newline !== '') {
    layout.unit ||= DISPLAYED_LAYOUT.unit;
    if (!colonSeen) layout.afterColon = ' ';
  }
  if (!commaSeen) layout.afterComma = layout.afterColon === '' ? '' : ' ';
  if (!colonSeen && layout.afterComma !== '') layout.afterColon = ' ';
  return layout;
}

/**
 * Puts other text in a value's place.
 *
 * @param value JSON text of one value; white space around it is left out. With white space between its tokens it is put in as it
 *   stands; compact, it is laid out like its surroundings.
 */
export function setValue(tree: SyntaxTree, node: number, value: string, layout = layoutOf(tree)): EditResult {
  // Beside values on the same line, a container stays on that line too.
  const sharesLine = tree.parent(node) >= 0 && !isMultiline(spaceBefore(tree.text, tree.memberStart(node)));
  const newline = sharesLine ? '' : layout.newline;
  const fitted = fitValue(value, lineIndent(tree.text, tree.start(node)), { ...layout, newline });
  if (fitted === null) return refused('value-not-json');
  return replace(tree, tree.start(node), tree.end(node), fitted);
}

/**
 * Gives a member another key. The order stays; a key that is there already is allowed, as it is in the format.
 *
 * @param key JSON text of a string, quotes included (`stringToken` makes it)
 */
export function renameKey(tree: SyntaxTree, node: number, key: string): EditResult {
  if (tree.keyToken(node) === null) return refused('key-not-allowed');
  if (!isStringToken(key)) return refused('key-not-a-string');
  return replace(tree, tree.memberStart(node), tree.keyEnd(node), key);
}

/**
 * Turns a value into one of another kind, keeping what the new kind can hold: containers keep every token of their elements, scalars
 * become strings of their own text and back, a string that holds JSON text of the new kind becomes that text.
 */
export function changeKind(tree: SyntaxTree, node: number, kind: NodeKind, layout = layoutOf(tree)): EditResult {
  const from = tree.kind(node);
  if (from === kind) return { ok: true, edits: [] };
  if (from === 'array' && kind === 'object') return arrayToObject(tree, node, layout);
  if (from === 'object' && kind === 'array') return objectToArray(tree, node);
  return setValue(tree, node, convert(tree.token(node), from, kind), layout);
}

/** A value, with its key where it goes into an object; both as JSON text. */
export interface NewChild {
  key?: string;
  value: string;
}

/**
 * Puts a new element into an array, or a new member into an object.
 *
 * @param position 0 to the number of values there; before which of them it goes
 */
export function insertChild(
  tree: SyntaxTree,
  container: number,
  position: number,
  child: NewChild,
  layout = layoutOf(tree),
): EditResult {
  const kind = tree.kind(container);
  if (kind !== 'object' && kind !== 'array') return refused('not-a-container');
  if (kind === 'object' && child.key === undefined) return refused('key-missing');
  if (kind === 'array' && child.key !== undefined) return refused('key-not-allowed');
  if (child.key !== undefined && !isStringToken(child.key)) return refused('key-not-a-string');
  const count = tree.childCount(container);
  if (!Number.isInteger(position) || position < 0 || position > count) return refused('position-out-of-range');

  const text = tree.text;
  if (count === 0) {
    const start = tree.start(container) + 1;
    const end = tree.end(container) - 1;
    const outer = lineIndent(text, tree.start(container));
    const within = text.slice(start, end);
    const before = layout.newline === '' ? within : layout.newline + outer + layout.unit;
    const after = layout.newline === '' ? within : layout.newline + outer;
    const member = fitChild(child, lastLine(before), layout);
    return member === null ? refused('value-not-json') : replace(tree, start, end, before + member + after);
  }
  const neighbour = tree.childAt(container, Math.min(position, count - 1));
  const space = separatorSpace(tree, neighbour, layout);
  const member = fitChild(child, isMultiline(space) ? lastLine(space) : lineIndent(text, tree.memberStart(neighbour)), {
    ...layout,
    // Where values share a line, a container among them stays on it too.
    newline: isMultiline(space) ? layout.newline : '',
  });
  if (member === null) return refused('value-not-json');
  if (position === count) return insertAt(tree.end(neighbour), `,${space}${member}`);
  return insertAt(tree.memberStart(neighbour), `${member},${space}`);
}

/**
 * Puts a copy of a value behind it, token for token.
 *
 * @param key the copy's key, as JSON text of a string. Without it a member's copy gets a key of its own, because of two equal keys
 *   VelesDB reads only the last.
 */
export function duplicate(tree: SyntaxTree, node: number, key?: string, layout = layoutOf(tree)): EditResult {
  const parent = tree.parent(node);
  if (parent < 0) return refused('root');
  const ownKey = tree.keyToken(node);
  if (ownKey === null && key !== undefined) return refused('key-not-allowed');
  if (key !== undefined && !isStringToken(key)) return refused('key-not-a-string');
  const space = separatorSpace(tree, node, layout);
  const copyKey = ownKey === null ? '' : (key ?? stringToken(freeKey(tree, parent, tree.key(node)!)));
  const rest = tree.text.slice(ownKey === null ? tree.start(node) : tree.keyEnd(node), tree.end(node));
  return insertAt(tree.end(node), `,${space}${copyKey}${rest}`);
}

/**
 * Moves a value to another position in its container. The characters of the text stay the same ones; the value changes places with
 * those between, and takes the comma and white space at its side along.
 *
 * @param position where it is afterwards, 0 to one less than the number of values there
 */
export function moveChild(tree: SyntaxTree, node: number, position: number): EditResult {
  const parent = tree.parent(node);
  if (parent < 0) return refused('root');
  const from = tree.position(node);
  const target = Number.isInteger(position) && position >= 0 ? tree.childAt(parent, position) : -1;
  if (target < 0) return refused('position-out-of-range');
  if (position === from) return { ok: true, edits: [] };
  const text = tree.text;
  const member = text.slice(tree.memberStart(node), tree.end(node));
  if (position > from) {
    const following = tree.memberStart(tree.nextSibling(node));
    const gap = text.slice(tree.end(node), following);
    return {
      ok: true,
      edits: [
        { from: tree.memberStart(node), to: following, insert: '' },
        { from: tree.end(target), to: tree.end(target), insert: gap + member },
      ],
    };
  }
  const precedingEnd = tree.end(tree.childAt(parent, from - 1));
  const gap = text.slice(precedingEnd, tree.memberStart(node));
  return {
    ok: true,
    edits: [
      { from: tree.memberStart(target), to: tree.memberStart(target), insert: member + gap },
      { from: precedingEnd, to: tree.end(node), insert: '' },
    ],
  };
}

/** Takes a value out of its container, with the comma and white space that set it apart; a container left empty is closed up. */
export function removeChild(tree: SyntaxTree, node: number): EditResult {
  const parent = tree.parent(node);
  if (parent < 0) return refused('root');
  const position = tree.position(node);
  const following = tree.nextSibling(node);
  if (position > 0) return replace(tree, tree.end(tree.childAt(parent, position - 1)), tree.end(node), '');
  if (following >= 0) return replace(tree, tree.memberStart(node), tree.memberStart(following), '');
  return replace(tree, tree.start(parent) + 1, tree.end(parent) - 1, '');
}

/**
 * The text after edits.
 *
 * @param edits ascending and not overlapping, offsets in `text`
 */
export function applyEdits(text: string, edits: readonly TextEdit[]): string {
  let result = '';
  let at = 0;
  for (const { from, to, insert } of edits) {
    result += text.slice(at, from) + insert;
    at = to;
  }
  return result + text.slice(at);
}

function refused(refusal: EditRefusal): EditResult {
  return { ok: false, refusal };
}

function replace(tree: SyntaxTree, from: number, to: number, insert: string): EditResult {
  return { ok: true, edits: tree.text.slice(from, to) === insert ? [] : [{ from, to, insert }] };
}

function insertAt(offset: number, insert: string): EditResult {
  return { ok: true, edits: [{ from: offset, to: offset, insert }] };
}

function isStringToken(token: string): boolean {
  const result = parseSyntax(token);
  return result.ok && result.tree.kind(0) === 'string' && result.tree.token(0) === token;
}

function isMultiline(space: string): boolean {
  return /[\r\n]/.test(space);
}

function lastLine(space: string): string {
  return space.slice(Math.max(space.lastIndexOf('\n'), space.lastIndexOf('\r')) + 1);
}

/** The white space that ends at an offset. */
function spaceBefore(text: string, offset: number): string {
  let from = offset;
  while (from > 0 && ' \t\r\n'.includes(text[from - 1]!)) from--;
  return text.slice(from, offset);
}

/** The white space the line that holds an offset begins with. A line break is never inside a string, so this needs no tree. */
function lineIndent(text: string, offset: number): string {
  const lineStart =
    Math.max(
      offset === 0 ? -1 : text.lastIndexOf('\n', offset - 1),
      offset === 0 ? -1 : text.lastIndexOf('\r', offset - 1),
    ) + 1;
  let end = lineStart;
  while (end < offset && (text[end] === ' ' || text[end] === '\t')) end++;
  return text.slice(lineStart, end);
}

/** The white space to put behind a comma beside this child: what its siblings have there, or the child itself behind its bracket. */
function separatorSpace(tree: SyntaxTree, node: number, layout: Layout): string {
  const first = tree.firstChild(tree.parent(node));
  const second = tree.nextSibling(first);
  if (node === first && second < 0) {
    const space = spaceBefore(tree.text, tree.memberStart(node));
    return isMultiline(space) ? space : layout.afterComma;
  }
  return spaceBefore(tree.text, tree.memberStart(node === first ? second : node));
}

/** A value laid out for a line with this indentation, or null if it is not one JSON value. */
function fitValue(value: string, lineStart: string, layout: Layout): string | null {
  const parsed = parseSyntax(value);
  if (!parsed.ok) return null;
  const token = parsed.tree.token(0);
  return layout.newline !== '' && isCompact(token) ? indent(token, layout.unit, layout.newline + lineStart) : token;
}

function fitChild(child: NewChild, lineStart: string, layout: Layout): string | null {
  const value = fitValue(child.value, lineStart, layout);
  if (value === null || child.key === undefined) return value;
  return `${child.key}:${layout.afterColon}${value}`;
}

/** A key like this one that the object does not have yet. */
function freeKey(tree: SyntaxTree, object: number, key: string): string {
  const taken = new Set<string>();
  for (const child of tree.children(object)) taken.add(tree.key(child)!);
  for (let copy = 1; ; copy++) {
    const candidate = copy === 1 ? `${key} copy` : `${key} copy ${copy}`;
    if (!taken.has(candidate)) return candidate;
  }
}

/** Brackets change and each element gets its position as key; every other character stays. */
function arrayToObject(tree: SyntaxTree, node: number, layout: Layout): EditResult {
  const edits: TextEdit[] = [{ from: tree.start(node), to: tree.start(node) + 1, insert: '{' }];
  let position = 0;
  for (const child of tree.children(node)) {
    const at = tree.start(child);
    edits.push({ from: at, to: at, insert: `"${position++}":${layout.afterColon}` });
  }
  edits.push({ from: tree.end(node) - 1, to: tree.end(node), insert: '}' });
  return { ok: true, edits };
}

/** Brackets change and keys with their colons go; every other character stays. */
function objectToArray(tree: SyntaxTree, node: number): EditResult {
  const edits: TextEdit[] = [{ from: tree.start(node), to: tree.start(node) + 1, insert: '[' }];
  for (const child of tree.children(node)) {
    edits.push({ from: tree.memberStart(child), to: tree.start(child), insert: '' });
  }
  edits.push({ from: tree.end(node) - 1, to: tree.end(node), insert: ']' });
  return { ok: true, edits };
}

function convert(token: string, from: NodeKind, kind: NodeKind): string {
  if (from === 'string') {
    const content = decodeStringToken(token);
    const parsed = parseSyntax(content);
    if (parsed.ok && parsed.tree.kind(0) === kind) return parsed.tree.token(0);
  }
  switch (kind) {
    case 'string':
      return stringToken(from === 'object' || from === 'array' ? storedText(token, true) : token);
    case 'number':
      return token === 'true' ? '1' : '0';
    case 'boolean':
      return from === 'number' && /[1-9]/.test(token.replace(/[eE].*/, '')) ? 'true' : 'false';
    case 'null':
      return 'null';
    case 'array':
      return from === 'null' ? '[]' : `[${token}]`;
    case 'object':
      return from === 'null' ? '{}' : `{"value":${token}}`;
  }
}
