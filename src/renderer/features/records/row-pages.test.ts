import { describe, expect, test } from 'vitest';
import type { Result } from '../../../shared/protocol.ts';
import { fixtureRow } from '../../testing/client.fixture.ts';
import { ROWS_PER_PAGE, RowPages } from './row-pages.ts';

/** A query whose pages are answered when the test says so. */
function pages(total: number) {
  const asked: { from: number; signal: AbortSignal; answer: () => void; fail: () => void }[] = [];
  const source = new RowPages('s', 'q', total, ({ from, count }, options) => {
    return new Promise<Result<'records.page'>>((resolve, reject) => {
      asked.push({
        from,
        signal: options.signal!,
        answer: () =>
          resolve({
            revision: 1,
            total: source.total,
            complete: true,
            rows: Array.from({ length: Math.min(count, source.total - from) }, (_, index) => fixtureRow(from + index)),
          }),
        fail: () => reject(new Error('no')),
      });
    });
  });
  return { source, asked };
}
const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

describe('rows of a query, a page at a time', () => {
  test('fetches the pages on the screen and nothing else', async () => {
    const { source, asked } = pages(10_000_000);
    source.want(5_000_000, 5_000_030);
    expect(asked.map(({ from }) => from)).toEqual([Math.floor(5_000_000 / ROWS_PER_PAGE) * ROWS_PER_PAGE]);
    asked[0]!.answer();
    await settled();
    expect(source.get(5_000_000)?.row).toBe(5_000_000);
    expect(source.get(0)).toBeUndefined();
  });

  test('keeps the row that has the tab stop, wherever the screen is', async () => {
    const { source, asked } = pages(1_000_000);
    source.want(900_000, 900_030, 7);
    source.want(500_000, 500_030, 7);
    expect(asked.map(({ from, signal }) => [from === 0, signal.aborted])).toEqual([
      [false, true],
      [true, false],
      [false, false],
    ]);
    asked[1]!.answer();
    await settled();
    expect(source.get(7)?.row).toBe(7);
  });

  test('asks for a page once while it is on its way', () => {
    const { source, asked } = pages(1_000);
    source.want(0, 30);
    source.want(1, 31);
    expect(asked).toHaveLength(1);
  });

  test('cancels a page that was scrolled past, and takes nothing from its late answer', async () => {
    const { source, asked } = pages(1_000_000);
    source.want(0, 30);
    source.want(900_000, 900_030);
    expect(asked[0]!.signal.aborted).toBe(true);
    asked[0]!.answer();
    await settled();
    expect(source.get(0)).toBeUndefined();
  });

  test('forgets pages that were not used for long, and fetches them again when they are wanted', async () => {
    const { source, asked } = pages(1_000_000);
    for (let page = 0; page < 60; page++) {
      source.want(page * ROWS_PER_PAGE, page * ROWS_PER_PAGE);
      asked.at(-1)!.answer();
      await settled();
    }
    expect(source.get(0)).toBeUndefined();
    expect(source.get(59 * ROWS_PER_PAGE)).toBeDefined();
    source.want(0, 10);
    expect(asked.at(-1)!.from).toBe(0);
  });

  test('fetches a page that was not full again after the total grew', async () => {
    const { source, asked } = pages(10);
    source.want(0, 10);
    asked[0]!.answer();
    await settled();
    source.setTotal(50);
    source.want(0, 30);
    expect(asked).toHaveLength(2);
    asked[1]!.answer();
    await settled();
    expect(source.get(49)?.row).toBe(49);
  });

  test('says that a page failed', async () => {
    const { source, asked } = pages(10);
    source.want(0, 10);
    asked[0]!.fail();
    await settled();
    expect(source.failure).toBeInstanceOf(Error);
    expect(source.busy).toBe(false);
  });
});
