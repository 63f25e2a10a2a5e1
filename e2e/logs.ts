import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeStore } from '../src/core/record.ts';
import { crc32 } from '../src/main/engine/crc32.ts';

/** A store as VelesDB would append it. */
export interface Store {
  id: bigint;
  /** The payload's text, stored as it stands. */
  text: string;
}

/** The bytes of stores, one behind the other. */
export function stores(...records: Store[]): Buffer {
  return Buffer.concat(records.map(({ id, text }) => encodeStore(id, Buffer.from(text), crc32)));
}

/** The name of the one collection in a made database. */
export const MADE = 'made';

/** A database in a directory of its own, with one collection; `fill` writes its log to the path it is given. */
export function makeDatabase(fill: (log: string) => void): { directory: string; remove(): void } {
  const parent = mkdtempSync(join(tmpdir(), 'velescope-made-'));
  const directory = join(parent, 'database');
  const collection = join(directory, MADE);
  mkdirSync(collection, { recursive: true });
  const config = {
    name: MADE,
    dimension: 4,
    metric: 'Cosine',
    point_count: 0,
    schema_version: 1,
    storage_mode: 'Full',
  };
  writeFileSync(join(collection, 'config.json'), JSON.stringify(config));
  fill(join(collection, 'payloads.log'));
  return { directory, remove: () => rmSync(parent, { recursive: true, force: true }) };
}
