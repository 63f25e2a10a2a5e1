import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Hash, times and size of every file, and the times of every directory, by path: what looking must leave as it was. */
export function fingerprint(directory: string): Record<string, string> {
  const entries: Record<string, string> = {};
  const note = (path: string) => {
    const status = statSync(path, { bigint: true });
    const hash = status.isFile() ? createHash('sha256').update(readFileSync(path)).digest('hex') : 'directory';
    entries[path] = `${hash} ${status.mtimeNs} ${status.ctimeNs} ${status.size}`;
    if (status.isDirectory()) for (const name of readdirSync(path)) note(join(path, name));
  };
  note(directory);
  return entries;
}
