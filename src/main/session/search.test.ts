import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SEARCH_BLOCK } from '../../core/fast-search.ts';
import { LogBuilder } from '../../core/log-builder.fixture.ts';
import { runToEnd } from '../../core/steps.ts';
import { nodeFiles } from '../engine/node-files.ts';
import { CollectionState } from './collection.ts';
import { meetsCondition, parsePathCondition } from './json-path.ts';
import { type PayloadSearch, searchPayloads } from './search.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'velescope-search-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** The rows in which a search finds the text. */
const found = (log: LogBuilder, text: string): number[] => rowsOf(log, { needle: Buffer.from(text), condition: null });

/** The rows that meet a condition on a path, searched as the grid does it. */
function meeting(log: LogBuilder, path: string): number[] {
  const condition = parsePathCondition(path);
  return rowsOf(log, { needle: condition.needle === null ? null : Buffer.from(condition.needle), condition });
}

function rowsOf(log: LogBuilder, search: PayloadSearch): number[] {
  writeFileSync(join(directory, 'payloads.log'), log.bytes());
  const state = new CollectionState(nodeFiles, directory);
  state.open();
  try {
    runToEnd(state.scanOn());
    const rows: number[] = [];
    runToEnd(
      searchPayloads(
        state,
        search,
        () => true,
        (row) => rows.push(row),
      ),
    );
    return rows;
  } finally {
    state.close();
  }
}

test('each record that holds the text is found once, in log order, and text across two records is not', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.array(fc.constantFrom('a', 'b', 'ä'), { maxLength: 30 }).map((parts) => parts.join('')),
        { minLength: 1, maxLength: 40 },
      ),
      fc.array(fc.constantFrom('a', 'b', 'ä'), { minLength: 1, maxLength: 4 }).map((parts) => parts.join('')),
      (payloads, text) => {
        const log = new LogBuilder();
        for (const [id, payload] of payloads.entries()) log.store(id, JSON.stringify(payload)).delete(id + 1000);
        const expected = payloads.flatMap((payload, at) => (payload.includes(text) ? [2 * at] : []));
        expect(found(log, text)).toEqual(expected);
      },
    ),
    { numRuns: 100 },
  );
});

test('a hit that lies across two blocks is found, wherever it is cut', () => {
  const word = 'nightingale';
  for (let before = -word.length; before <= 0; before++) {
    const log = new LogBuilder();
    const header = 13;
    log.store(1, `"${'x'.repeat(SEARCH_BLOCK - header - 1 + before)}${word}${'y'.repeat(100)}"`);
    log.store(2, `"${'z'.repeat(2 * SEARCH_BLOCK)}${word}"`);
    expect(found(log, word)).toEqual([0, 1]);
  }
});

test('what stands in an id, a length or a checksum is no hit', () => {
  const log = new LogBuilder().store(0x6161_6161_6161_6161n, '"b"').store(1, '"aaaa"');
  expect(found(log, 'aaaa')).toEqual([1]);
});

describe('a condition on a path', () => {
  /** A name as a payload may spell it: each letter as it is, or as an escape, its digits in either case. */
  const spelled = (name: string) =>
    fc
      .tuple(...[...name].map((letter) => fc.constantFrom(letter, `\\u00${letter.charCodeAt(0).toString(16)}`)))
      .map((letters) => letters.join(''));
  const payload = fc.oneof(
    fc.tuple(spelled('title'), fc.integer({ min: 0, max: 3 })).map(([name, value]) => `{"${name}":${value}}`),
    fc
      .tuple(spelled('titles'), spelled('title'))
      .map(([other, text]) => `{"${other}":1,"text":"${text} \\u00e4 \\u001f"}`),
    fc.constantFrom('{"a":"\\u00e4"}', '"title"', '{"x":{"title":1}}', '[]'),
  );

  test('finds its name however the payload spells it: what the byte search rules out does not meet it', () => {
    fc.assert(
      fc.property(fc.array(payload, { minLength: 1, maxLength: 30 }), (payloads) => {
        const log = new LogBuilder();
        for (const [id, text] of payloads.entries()) log.store(id, text);
        const condition = parsePathCondition('$.title >= 1');
        expect(condition.needle).toBe('title');
        const expected = payloads.flatMap((text, row) => (meetsCondition(text, condition) ? [row] : []));
        expect(meeting(log, '$.title >= 1')).toEqual(expected);
      }),
      { numRuns: 200 },
    );
  });

  test('finds an escaped name that lies across two blocks, wherever it is cut, and each record once', () => {
    const name = '\\u0074itl\\u0065';
    for (let before = -name.length - 2; before <= 2; before++) {
      const log = new LogBuilder();
      log.store(1, `{"x":"${'x'.repeat(SEARCH_BLOCK - 13 - 8 + before)}","${name}":1,"title":1}`);
      log.store(2, `{"x":"${'z'.repeat(2 * SEARCH_BLOCK)}","${name}":2}`).store(3, `{"title":3}`);
      expect(meeting(log, '$.title exists')).toEqual([0, 1, 2]);
    }
  });

  test('finds a name with a slash, which has two spellings of its own', () => {
    const log = new LogBuilder().store(1, '{"a/b":1}').store(2, '{"a\\/b":1}').store(3, '{"a\\u002fb":1}');
    expect(meeting(log, '$["a/b"] = 1')).toEqual([0, 1, 2]);
  });
});
