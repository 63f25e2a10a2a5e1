import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SEARCH_BLOCK } from '../../core/fast-search.ts';
import { LogBuilder } from '../../core/log-builder.fixture.ts';
import { runToEnd } from '../../core/steps.ts';
import { nodeFiles } from '../engine/node-files.ts';
import { CollectionState } from './collection.ts';
import { searchPayloads } from './search.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'velescope-search-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** The rows in which a search finds the text. */
function found(log: LogBuilder, text: string): number[] {
  writeFileSync(join(directory, 'payloads.log'), log.bytes());
  const state = new CollectionState(nodeFiles, directory);
  state.open();
  try {
    runToEnd(state.scanOn());
    const rows: number[] = [];
    const search = { needle: Buffer.from(text), condition: null };
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
