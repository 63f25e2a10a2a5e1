import assert from 'node:assert/strict';
import fc from 'fast-check';
import { canonicalize } from '../../src/core/json/canonicalize.ts';
import { acceptedBy, checkPayload, isAccepted, isJsonText } from '../../src/core/json/check.ts';
import { differences } from '../../src/core/json/differences.ts';
import {
  applyEdits,
  changeKind,
  duplicate,
  type EditResult,
  insertChild,
  moveChild,
  removeChild,
  renameKey,
  setValue,
} from '../../src/core/json/edit.ts';
import { decodeUtf8Lossy } from '../../src/core/json/encode.ts';
import { displayText, isCompact, storedText } from '../../src/core/json/layout.ts';
import type { JsonReader } from '../../src/core/json/number.ts';
import { parseSyntax, type SyntaxTree } from '../../src/core/json/syntax.ts';
import {
  brokenBytes,
  noSpace,
  payloadText,
  someSpace,
  stringToken,
  text,
  utf8,
} from '../../src/core/json/text.fixture.ts';
import { escapeInvisible } from '../../src/core/visible.ts';
import { type Target, target } from './target.ts';

const READERS: readonly JsonReader[] = ['approximate', 'exact'];
const anySpace = fc.oneof(noSpace, someSpace);
const anyText = payloadText(anySpace, false);
const acceptedText = payloadText(anySpace, true);

/** Control, turning and line-ending characters by their Unicode properties, apart from the list that is tested. */
const UNSEEN = /[\p{Cc}\p{Cs}\p{Bidi_Control}\p{Zl}\p{Zp}]/u;
const hostileText = fc
  .string({
    unit: fc.oneof(
      { weight: 2, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) },
      {
        weight: 1,
        arbitrary: fc.constantFrom('\u202a', '\u202e', '\u2066', '\u2069', '\u061c', '\u200f', '\u001b', '\u009b'),
      },
    ),
  })
  .map((value) => value.replaceAll('\\', ''));

const operation = fc.record({
  kind: fc.constantFrom('set', 'rename', 'insert', 'duplicate', 'move', 'remove', 'change kind'),
  node: fc.nat(),
  position: fc.nat(),
  to: fc.constantFrom('object', 'array', 'string', 'number', 'boolean', 'null'),
  key: stringToken(false),
  value: payloadText(anySpace, false),
});
type Operation = typeof operation extends fc.Arbitrary<infer Value> ? Value : never;

export function jsonTargets(): Target[] {
  return [
    target('json: check', 12, brokenBytes, assertCheck),
    target('json: canonical', 8, acceptedText, assertCanonical),
    target('json: differences', 6, acceptedText, assertDifferences),
    target('json: layout', 5, fc.oneof(anyText, brokenBytes.map(decodeUtf8Lossy)), assertLayout),
    target('json: edits', 8, fc.tuple(anyText, fc.array(operation, { maxLength: 4 })), assertEdits),
    target('visible text', 2, hostileText, (value) => {
      const shown = escapeInvisible(value);
      assert.doesNotMatch(shown, UNSEEN);
      // What it escapes stays what it was, to whoever reads the escapes.
      assert.equal(
        shown.replaceAll(/\\u([0-9a-f]{4})/g, (_, unit) => String.fromCharCode(Number.parseInt(unit, 16))),
        value.replaceAll('\\', ''),
      );
    }),
  ];
}

function parsed(bytes: Uint8Array): unknown {
  return JSON.parse(text(bytes));
}

function parses(bytes: Uint8Array): boolean {
  try {
    parsed(bytes);
    return true;
  } catch {
    return false;
  }
}

/** The readers, the checker that names the byte, and JavaScript's own parser agree. */
function assertCheck(bytes: Uint8Array): void {
  const accepted = acceptedBy(bytes);
  for (const reader of READERS) {
    const check = checkPayload(bytes, 0, bytes.length, reader);
    assert.equal(isAccepted(bytes, 0, bytes.length, reader), check.state === 'ok', reader);
    assert.equal(accepted[reader], check.state === 'ok', reader);
    assert.equal(check.state !== 'not-json', isJsonText(bytes), reader);
    assert.equal(canonicalize(bytes, reader).ok, check.state === 'ok', reader);
    if (check.state === 'ok') continue;
    assert.ok(check.offset >= 0 && check.offset <= bytes.length);
    assert.match(check.message, / at line \d+ column \d+$/);
    assert.deepEqual(differences(bytes, 9, reader), []);
  }
  assert.equal(isJsonText(bytes), parses(bytes));
  assert.equal(parseSyntax(decodeUtf8Lossy(bytes)).ok, parses(utf8(decodeUtf8Lossy(bytes))));
}

/** Canonical text is read as the same value, and done again it stays what it is (of floats only their digits drift). */
function assertCanonical(source: string): void {
  const bytes = utf8(source);
  for (const reader of READERS) {
    const once = canonicalize(bytes, reader);
    assert.equal(once.ok, isAccepted(bytes, 0, bytes.length, reader));
    if (!once.ok) continue;
    const twice = canonicalize(once.bytes, reader);
    assert.ok(twice.ok);
    if (reader === 'exact') {
      assert.equal(text(twice.bytes), text(once.bytes));
      assert.deepEqual(parsed(once.bytes), parsed(bytes));
    } else assert.equal(withoutFloats(twice.bytes), withoutFloats(once.bytes));
  }
}

function withoutFloats(bytes: Uint8Array): string {
  return text(bytes).replace(/-?\d+(\.\d+(e[+-]?\d+)?|e[+-]?\d+)/g, '#');
}

/** None exactly where VelesDB would write the same bytes; each inside the text, in its order. */
function assertDifferences(source: string): void {
  const bytes = utf8(source);
  for (const reader of READERS) {
    const canonical = canonicalize(bytes, reader);
    if (!canonical.ok) continue;
    const found = differences(bytes, 1e6, reader);
    assert.equal(found.length === 0, text(canonical.bytes) === source);
    for (const { start, end, stored, read, pointer } of found) {
      assert.ok(start >= 0 && end >= start && end <= bytes.length);
      assert.ok(stored !== read);
      assert.ok(pointer === '' || pointer.startsWith('/'));
    }
    assert.deepEqual(differences(bytes, 2, reader), found.slice(0, 2));
  }
}

/** What is stored compact comes back character for character; anything else is not touched. */
function assertLayout(source: string): void {
  const displayed = displayText(source);
  assert.equal(storedText(displayed, isCompact(source)), source);
  if (!isCompact(source)) assert.equal(displayed, source);
}

/** Every operation leaves JSON, says itself in edits that do not overlap, and does what it is called. */
function assertEdits([source, operations]: [string, Operation[]]): void {
  let now = source;
  for (const step of operations) {
    const tree = treeOf(now);
    const node = step.node % tree.count;
    const result = carryOut(tree, node, step);
    if (!result.ok) continue;
    let behind = 0;
    for (const { from, to } of result.edits) {
      assert.ok(from >= behind && to >= from && to <= now.length);
      behind = to;
    }
    const after = applyEdits(now, result.edits);
    assertDone(tree, treeOf(after), node, step);
    now = after;
  }
}

function treeOf(source: string): SyntaxTree {
  const result = parseSyntax(source);
  assert.ok(result.ok, `no longer JSON: ${source}`);
  return result.tree;
}

function carryOut(tree: SyntaxTree, node: number, step: Operation): EditResult {
  const { kind, key, value, to } = step;
  const parent = tree.parent(node);
  switch (kind) {
    case 'set':
      return setValue(tree, node, value);
    case 'rename':
      return renameKey(tree, node, key);
    case 'insert': {
      const position = step.position % (tree.isContainer(node) ? tree.childCount(node) + 1 : 2);
      return insertChild(tree, node, position, tree.kind(node) === 'object' ? { key, value } : { value });
    }
    case 'duplicate':
      return duplicate(tree, node);
    case 'move':
      return moveChild(tree, node, parent < 0 ? 0 : step.position % tree.childCount(parent));
    case 'remove':
      return removeChild(tree, node);
    default:
      return changeKind(tree, node, to as Parameters<typeof changeKind>[2]);
  }
}

function assertDone(before: SyntaxTree, after: SyntaxTree, node: number, { kind, key, value, to }: Operation): void {
  const path = before.indexPath(node);
  const parent = before.parent(node);
  const sizeOf = (tree: SyntaxTree, of: number) => subtree(tree, of);
  switch (kind) {
    case 'set':
      assert.equal(bare(after.token(after.nodeAtPath(path))), bare(value));
      break;
    case 'rename':
      assert.equal(after.keyToken(after.nodeAtPath(path)), key);
      break;
    case 'insert':
      assert.equal(after.count, before.count + treeOf(value).count);
      break;
    case 'duplicate':
      assert.equal(after.count, before.count + sizeOf(before, node));
      break;
    case 'remove':
      assert.equal(after.count, before.count - sizeOf(before, node));
      break;
    case 'move':
      assert.deepEqual(children(after, after.nodeAtPath(path.slice(0, -1))), children(before, parent));
      break;
    default:
      assert.equal(after.kind(after.nodeAtPath(path)), to);
  }
}

function subtree(tree: SyntaxTree, node: number): number {
  let count = 1;
  for (const child of tree.children(node)) count += subtree(tree, child);
  return count;
}

function children(tree: SyntaxTree, node: number): string[] {
  return [...tree.children(node)].map((child) => `${tree.keyToken(child)}:${tree.token(child)}`).sort();
}

/** Without white space between tokens. */
function bare(source: string): string {
  return source.replace(/("(?:[^"\\]|\\.)*")|[ \t\r\n]+/gs, '$1');
}
