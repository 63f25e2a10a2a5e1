import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');

/** A database that the specs run on, and what is known to be in it. */
export interface Sample {
  title: string;
  directory: string;
  /** A healthy collection with a snapshot. */
  collection: string;
  /** An id of it with one version, and a text that stands in its payload. */
  id: string;
  text: string;
}

/** Ships with Velescope. */
export const SHIPPED: Sample = {
  title: 'the shipped sample',
  directory: resolve(root, 'resources', 'sample'),
  collection: 'articles',
  id: '7',
  text: '"',
};

/** Written by VelesDB itself; beside the project where it is developed. */
export const WRITTEN_BY_VELESDB: Sample = {
  title: 'a database that VelesDB wrote',
  directory: resolve(root, '..', 'shared', 'sampledb', 'latest'),
  collection: 'documents',
  id: '25',
  text: '"Doc 25"',
};

/** The shipped database of damage: one collection for each kind. */
export const DAMAGED = resolve(root, 'resources', 'damaged');

/** The samples that are there. What is not is named on standard error, once for each file of specs. */
export function presentSamples(): Sample[] {
  return [SHIPPED, WRITTEN_BY_VELESDB].filter((sample) => {
    const present = existsSync(sample.directory);
    if (!present) console.warn(`e2e: not run on ${sample.title}: ${sample.directory} is not there`);
    return present;
  });
}
