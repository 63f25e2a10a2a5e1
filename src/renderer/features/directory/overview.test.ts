import { describe, expect, test } from 'vitest';
import type { Collection } from '../../../shared/protocol.ts';
import { collectionFixture } from '../../testing/collection.fixture.ts';
import { needsAttention, overviewOf } from './overview.ts';

function collection(health: Partial<Collection['health']>, rest: Partial<Collection> = {}): Collection {
  const sound = collectionFixture({ logBytes: 100, ...rest });
  return { ...sound, health: { ...sound.health, records: 3, ...health } };
}

describe('a collection somebody should look at', () => {
  test.each(['damaged', 'torn', 'snapshot', 'failed'] as const)('is one that is %s', (state) => {
    expect(needsAttention(collection({ state }))).toBe(true);
  });

  test.each(['unknown', 'healthy', 'empty'] as const)('is not one that is %s', (state) => {
    expect(needsAttention(collection({ state }))).toBe(false);
  });

  test('is one whose log is missing beside its snapshot, and not one that never had a log', () => {
    expect(needsAttention(collection({ state: 'missing' }, { hasSnapshot: true }))).toBe(true);
    expect(needsAttention(collection({ state: 'missing' }))).toBe(false);
  });

  test('is one that VelesDB passes over, however sound its log', () => {
    const problem = { code: 'CONFIG_MISSING', message: 'There is no config.json' } as Collection['problem'];
    expect(needsAttention(collection({}, { problem }))).toBe(true);
  });
});

test('the overview adds up what is known, and counts what is not known yet as not looked at', () => {
  const all = [collection({}), collection({ records: 5 }), collection({ state: 'unknown', records: null })];
  expect(overviewOf(all)).toEqual({ scanned: 2, records: 8, bytes: 300 });
});
