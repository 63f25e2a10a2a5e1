import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { displayText, isCompact, layOut, storedText } from './layout.ts';
import { noSpace, payloadText, propertySeed, someSpace } from './text.fixture.ts';

function withoutSpaceAround(source: string): string {
  return source.replace(/("(?:[^"\\]|\\.)*")|[ \t\r\n]+/gs, '$1');
}

describe('a payload stored compact', () => {
  it('is displayed with a line per value', () => {
    expect(displayText('{"b":1.0,"a":[1E2,{}],"b":{"c":[]}}')).toBe(
      '{\n  "b": 1.0,\n  "a": [\n    1E2,\n    {}\n  ],\n  "b": {\n    "c": []\n  }\n}',
    );
    expect(['1', '"a b"', '[]', '{}', 'null'].map(displayText)).toEqual(['1', '"a b"', '[]', '{}', 'null']);
  });

  it('is saved as it was, character for character, when nothing was edited', () => {
    fc.assert(
      fc.property(payloadText(noSpace, false), (source) => {
        expect(isCompact(source)).toBe(true);
        const displayed = displayText(source);
        expect(withoutSpaceAround(displayed)).toBe(source);
        expect(storedText(displayed, true)).toBe(source);
      }),
      { seed: propertySeed('compact'), numRuns: 1000 },
    );
  });

  it('is displayed as JSON.stringify would indent it, where that keeps the tokens', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const compact = JSON.stringify(value);
        expect(displayText(compact)).toBe(JSON.stringify(JSON.parse(compact), null, 2));
      }),
      { seed: propertySeed('indented') },
    );
  });

  it('is displayed as it stands where indentation would outgrow it by far', () => {
    const deep = '['.repeat(50_000) + ']'.repeat(50_000);
    expect(displayText(deep)).toBe(deep);
    expect(storedText(displayText(deep), true)).toBe(deep);
    const deepest = '['.repeat(127) + ']'.repeat(127);
    expect(displayText(deepest)).not.toBe(deepest);
  });
});

describe('a payload stored with white space of its own', () => {
  it('is displayed and saved as it stands', () => {
    fc.assert(
      fc.property(payloadText(someSpace, false), (source) => {
        fc.pre(withoutSpaceAround(source) !== source);
        expect(isCompact(source)).toBe(false);
        expect(displayText(source)).toBe(source);
        expect(storedText(source, false)).toBe(source);
      }),
      { seed: propertySeed('own white space') },
    );
  });
});

describe('text that is not JSON', () => {
  it.each(['', '{"a":1,}', '1 2', '{"a" "b"}', '"\ud800"', '\ufeff{}'])('stands as it is: %j', (source) => {
    expect(isCompact(source)).toBe(false);
    expect(displayText(source)).toBe(source);
    expect(storedText(source, true)).toBe(source);
  });
});

describe('a text that is edited', () => {
  it('is stored compact again where it is compact, and what it began from', () => {
    for (const base of [null, '{"a":1}']) {
      expect(layOut('{"b":2}', base)).toEqual({ displayed: '{\n  "b": 2\n}', compact: true });
      expect(layOut('7', base)).toEqual({ displayed: '7', compact: true });
    }
  });

  it('keeps white space of its own, also in the place of a compact record', () => {
    for (const base of [null, '{"a":1}', '{ "a": 1 }']) {
      expect(layOut('{ "b": 2 }', base)).toEqual({ displayed: '{ "b": 2 }', compact: false });
    }
  });

  it('stands as it is where white space was taken out of the record', () => {
    expect(layOut('{"b":2}', '{ "a": 1 }')).toEqual({ displayed: '{"b":2}', compact: false });
  });

  it('that was left half done is stored as what it began from is', () => {
    expect(layOut('{\n  "a": ', '{"a":1}').compact).toBe(true);
    expect(layOut('{\n  "a": ', null).compact).toBe(true);
    expect(layOut('{\n  "a": ', '{ "a": 1 }').compact).toBe(false);
  });
});
