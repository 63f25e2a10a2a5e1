import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSyntax, type SyntaxTree } from './syntax.ts';
import { brokenBytes, noSpace, payloadText, propertySeed, someSpace } from './text.fixture.ts';

function tree(source: string): SyntaxTree {
  const result = parseSyntax(source);
  if (!result.ok) throw new Error(`not JSON at ${result.offset}`);
  return result.tree;
}

function parses(source: string): boolean {
  try {
    JSON.parse(source);
    return true;
  } catch {
    return false;
  }
}

describe('parseSyntax', () => {
  it('reads exactly what JSON.parse reads', () => {
    fc.assert(
      fc.property(brokenBytes, (bytes) => {
        const source = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
        expect(parseSyntax(source).ok).toBe(parses(source));
      }),
      { seed: propertySeed('syntax'), numRuns: 5000 },
    );
  });

  it.each([
    ['', 0],
    ['[1,]', 3],
    ['[1 2]', 3],
    ['{"a":1,}', 7],
    ['{"a" 1}', 5],
    ['{1:2}', 1],
    ['nul', 3],
    ['nulx', 3],
    ['[01]', 2],
    ['1.x', 2],
    ['"\\u00g0"', 5],
    ['"\\x"', 2],
    ['"a\nb"', 2],
    ['1 x', 2],
    ['[', 1],
  ])('stops in %j at %i', (source, offset) => {
    expect(parseSyntax(source)).toEqual({ ok: false, offset });
  });

  it('points at tokens that, put together again with what stands between them, are the text', () => {
    fc.assert(
      fc.property(payloadText(fc.oneof(noSpace, someSpace), false), (source) => {
        const syntax = tree(source);
        const tokens: { from: number; to: number }[] = [];
        for (let node = 0; node < syntax.count; node++) {
          if (syntax.keyEnd(node) >= 0) tokens.push({ from: syntax.memberStart(node), to: syntax.keyEnd(node) });
          if (!syntax.isContainer(node)) tokens.push({ from: syntax.start(node), to: syntax.end(node) });
        }
        let between = '';
        let at = 0;
        for (const { from, to } of tokens) {
          between += source.slice(at, from);
          at = to;
        }
        between += source.slice(at);
        expect(between).toMatch(/^[\s{}[\],:]*$/);
      }),
      { seed: propertySeed('tokens') },
    );
  });

  it('leads to every node by its path and, but for duplicates, by its pointer', () => {
    fc.assert(
      fc.property(payloadText(fc.oneof(noSpace, someSpace), false), (source) => {
        const syntax = tree(source);
        const last = new Map<string, number>();
        for (let node = 0; node < syntax.count; node++) {
          expect(syntax.nodeAtPath(syntax.indexPath(node))).toBe(node);
          expect(syntax.nodeAtOffset(syntax.start(node))).toBe(node);
          if (node > 0) expect([...syntax.children(syntax.parent(node))][syntax.position(node)]).toBe(node);
          last.set(syntax.pointer(node), node);
        }
        for (const pointer of last.keys()) {
          const node = syntax.nodeAtPointer(pointer);
          if (node >= 0) expect(syntax.pointer(node)).toBe(pointer);
        }
      }),
      { seed: propertySeed('paths') },
    );
  });

  it('finds the last of duplicate keys by pointer, as VelesDB does', () => {
    const syntax = tree('{"a":1,"b":[5,{"c/~":2}],"\\u0061":3}');
    expect(syntax.token(syntax.nodeAtPointer('/a'))).toBe('3');
    expect(syntax.token(syntax.nodeAtPointer('/b/1/c~1~0'))).toBe('2');
    expect(['/x', '/b/2', '/b/01', '/a/0', 'a'].map((pointer) => syntax.nodeAtPointer(pointer))).toEqual([
      -1, -1, -1, -1, -1,
    ]);
    expect(syntax.nodeAtPointer('')).toBe(0);
  });

  it('counts in UTF-16', () => {
    const syntax = tree('{"😀":"é😀","b":null}');
    expect(syntax.keyToken(1)).toBe('"😀"');
    expect([syntax.token(1), syntax.start(2), syntax.kind(2)]).toEqual(['"é😀"', 16, 'null']);
  });

  it('reads a hundred thousand levels and a text of 16 MiB', () => {
    const deep = tree('['.repeat(100_000) + ']'.repeat(100_000));
    expect([deep.count, deep.indexPath(99_999).length]).toEqual([100_000, 99_999]);
    const wide = tree(`[${'0,'.repeat(8 * 1024 * 1024 - 1)}0]`);
    expect(wide.count).toBe(8 * 1024 * 1024 + 1);
    expect(wide.childAt(0, 8 * 1024 * 1024 - 1)).toBe(wide.count - 1);
  });
});
