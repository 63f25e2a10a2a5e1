import { describe, expect, it } from 'vitest';
import { meetsCondition, parsePathCondition } from './json-path.ts';

const meets = (text: string, condition: string) => meetsCondition(text, parsePathCondition(condition));

describe('a path condition', () => {
  it.each([
    ['{"a":{"b":[1,2]}}', '$.a.b[1] = 2', true],
    ['{"a":{"b":[1,2]}}', '$.a.b[2] = 2', false],
    ['{"a":"x y"}', '$.a = x y', true],
    ['{"a":"x y"}', '$.a = "x y"', true],
    ['{"a.b":1}', '$["a.b"] = 1', true],
    ['{"a":0.5}', '$.a >= 0.5', true],
    ['{"a":0.5}', '$.a > 0.5', false],
    ['{"a":"m"}', '$.a < n', true],
    ['{"a":null}', '$.a', true],
    ['{"a":null}', '$.b exists', false],
    ['{"a":null}', '$.a = null', true],
    ['{"tags":["x","y"]}', '$.tags contains y', true],
    ['{"title":"a draft"}', '$.title contains draft', true],
    ['{"a":1}', '$.a != 2', true],
    ['[1]', '$[0] = 1', true],
    ['"s"', '$ = s', true],
    ['{"a":', '$.a', false],
  ])('%s meets %s: %s', (text, condition, expected) => {
    expect(meets(text, condition)).toBe(expected);
  });

  it('tells integers apart that are equal as doubles', () => {
    expect(meets('{"id":9007199254740993}', '$.id = 9007199254740993')).toBe(true);
    expect(meets('{"id":9007199254740993}', '$.id = 9007199254740992')).toBe(false);
  });

  it('does not reach into what every object inherits', () => {
    expect(meets('{}', '$.constructor')).toBe(false);
    expect(meets('{}', '$.__proto__')).toBe(false);
  });

  it('says where it cannot be read and what was expected', () => {
    for (const text of ['a', '$.', '$.a ~ 1', '$.a =', '$[x]']) {
      expect(() => parsePathCondition(text), text).toThrow(expect.objectContaining({ code: 'BAD_QUERY' }));
    }
  });

  it('names bytes that every match holds, but for escapes, where its last name is plain', () => {
    expect(parsePathCondition('$.a.title = x').needle).toBe('title');
    expect(parsePathCondition('$.a.größe = x').needle).toBeNull();
    expect(parsePathCondition('$["a/b"] = x').needle).toBeNull();
  });
});
