import type { Collection } from '../../shared/protocol.ts';

/** A healthy collection, as a database lists it. */
export function collectionFixture(differing: Partial<Collection> = {}): Collection {
  return {
    collection: 'c1',
    name: 'documents',
    kind: 'vector',
    logBytes: 1,
    hasSnapshot: false,
    recovered: false,
    problem: null,
    health: { state: 'healthy', word: 'healthy', records: 1, damage: 0 },
    ...differing,
  };
}
