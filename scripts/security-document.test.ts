import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const document = readFileSync(join(root, 'docs', 'security.md'), 'utf8');
const rows = document.split('\n').filter((line) => line.startsWith('|') && !/^\|[-|]+\|$/.test(line));

/** `file` “title”, “title”: each title belongs to the file named last before it in its row. */
function named(): { file: string; title: string }[] {
  return rows.flatMap((row) => {
    let file = '';
    const found: { file: string; title: string }[] = [];
    // The tests are the last cell; quotation marks elsewhere are prose.
    for (const [, path, title] of row
      .split(' | ')
      .at(-1)!
      .matchAll(/`([^`]+\.(?:test|spec)\.tsx?)`|“([^”]+)”/g)) {
      if (path) file = path;
      else if (file !== '') found.push({ file, title: title! });
    }
    return found;
  });
}

/** Whether a test or a group of that title is in the source: the whole of a string that is followed by a comma. */
function hasTitle(source: string, title: string): boolean {
  const literal = title.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/'/g, "\\\\?'");
  return new RegExp(`(\\(|^\\s*)(['"\`])${literal}\\2,`, 'm').test(source);
}

describe('docs/security.md', () => {
  it('names only tests that exist, in the file it names', () => {
    const tests = named();
    expect(tests.length).toBeGreaterThan(100);
    const missing = tests.filter(({ file, title }) => {
      const path = join(root, file);
      return !existsSync(path) || !hasTitle(readFileSync(path, 'utf8'), title);
    });
    expect(missing).toEqual([]);
  });

  it('has a row for every item of the checklist, each with a test or a word on why not', () => {
    const items = [...Array.from({ length: 20 }, (_, index) => String(index + 1)), ...'ABCDEFGHIJ'];
    for (const item of items) {
      const row = rows.find((line) => line.startsWith(`| ${item} `));
      expect(row, `item ${item}`).toBeDefined();
      expect(row, `item ${item}`).toMatch(/\.(test|spec)\.ts` “|Not covered/);
    }
  });

  it('would notice a title that is gone', () => {
    expect(hasTitle("  test('is there', () => {", 'is there')).toBe(true);
    expect(hasTitle("  test('is there no more', () => {", 'is there')).toBe(false);
  });
});
