import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeSamples } from './make-samples.ts';

const RESOURCES = join(import.meta.dirname, '..', 'resources');

/** Files below a sample, as path → bytes. */
function filesOf(sample: string): Map<string, Buffer> {
  const found = new Map<string, Buffer>();
  for (const entry of readdirSync(join(RESOURCES, sample), { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    found.set(path.slice(RESOURCES.length + 1).replaceAll('\\', '/'), readFileSync(path));
  }
  return found;
}

describe('the shipped samples', () => {
  const made = makeSamples();
  const shipped = new Map([...filesOf('sample'), ...filesOf('damaged')]);

  it('are the files that the script makes, byte for byte', () => {
    expect([...shipped.keys()].sort()).toEqual([...made.keys()].sort());
    for (const [path, bytes] of made) {
      expect(shipped.get(path)!.equals(bytes), `${path} differs; run: node scripts/make-samples.mjs`).toBe(true);
    }
  });

  it('are small', () => {
    let bytes = 0;
    for (const content of shipped.values()) bytes += content.length;
    expect(bytes).toBeLessThan(400_000);
  });
});
