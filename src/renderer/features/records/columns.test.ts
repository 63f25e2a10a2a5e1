import { describe, expect, test } from 'vitest';
import type { Row, StoredDraft } from '../../../shared/protocol.ts';
import { rowWord } from './columns.tsx';

/** The rows of one id, oldest first: stored, stored again, deleted, stored, stored again and live. */
const VERSIONS: readonly Row[] = (
  [
    ['store', 'superseded'],
    ['store', 'superseded'],
    ['delete', 'dead'],
    ['store', 'superseded'],
    ['store', 'live'],
  ] as const
).map(([kind, state], index) => ({
  row: index,
  offset: String(index * 100),
  length: 100,
  kind,
  format: 'crc',
  id: '7',
  verdict: 'ok',
  foundBySearch: false,
  state,
  versions: 5,
  preview: '',
}));

function draft(baseOffset: string | null, conflict = false, action: 'store' | 'delete' = 'store'): StoredDraft {
  const base = baseOffset === null ? null : { offset: baseOffset, text: '{}' };
  return { id: '7', action, text: action === 'store' ? '{}' : null, base, changedAt: '', conflict };
}

/** What the State column says of each version while the id has this draft. */
const words = (rows: readonly Row[], kept: StoredDraft) => rows.map((row) => rowWord({ row, draft: kept })?.word);

describe('the mark of a draft', () => {
  test('stands at the live row of its id alone, not at older versions or deletes', () => {
    expect(words(VERSIONS, draft('400'))).toEqual(['Superseded', 'Superseded', 'Deleted', 'Superseded', 'Draft']);
    expect(words(VERSIONS, draft('400', false, 'delete')).at(-1)).toBe('Draft: delete');
  });

  test('stands at the row the draft began from as well, once the log has moved on', () => {
    expect(words(VERSIONS, draft('300', true))).toEqual([
      'Superseded',
      'Superseded',
      'Deleted',
      'Draft: conflict',
      'Draft: conflict',
    ]);
  });

  test('of an id that is deleted stands at the delete it began from, not at other deletes', () => {
    const deleted = VERSIONS.slice(0, 4).map((row, index) =>
      index === 3 ? { ...row, kind: 'delete' as const, state: 'dead' as const } : row,
    );
    expect(words(deleted, draft('300'))).toEqual(['Superseded', 'Superseded', 'Deleted', 'Draft']);
  });

  test('does not hide that a row comes from the snapshot and is not verified, nor that the snapshot points elsewhere', () => {
    const provisional: Row = { ...VERSIONS[4]!, row: null, provisional: 'intact', versions: 0 };
    expect(words([provisional, { ...provisional, provisional: 'elsewhere' }], draft('400'))).toEqual([
      'Not yet verified',
      'Points elsewhere',
    ]);
  });

  test('of a new record stands at no row of the log', () => {
    expect(words(VERSIONS.slice(0, 3), draft(null))).toEqual(['Superseded', 'Superseded', 'Deleted']);
  });
});
