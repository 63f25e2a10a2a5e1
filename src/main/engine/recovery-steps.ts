import { dirname, join, resolve } from 'node:path';
import { INVISIBLE } from '../../core/visible.ts';
import { type Files, statusOrNull } from './files.ts';
import { CONFIG_FILE, LOCK_FILE, LOG_FILE } from './lock.ts';
import { SNAPSHOT_FILE } from './snapshot-file.ts';

/** VelesDB trusts the first when it is there, so it goes stale; both go together (docs/format.md, "Data directory"). */
export const FULL_TEXT_FILES = ['bm25.snapshot', 'bm25.wal'] as const;

/** What VelesDB needs besides the log to list a collection, and what goes stale when the log changes. */
export interface Surroundings {
  hasSnapshot: boolean;
  hasConfig: boolean;
  /** The full-text files that are there. */
  fullText: readonly string[];
}

export function surroundingsOf(files: Files, directory: string): Surroundings {
  const has = (name: string) => statusOrNull(files, join(directory, name)) !== null;
  return { hasSnapshot: has(SNAPSHOT_FILE), hasConfig: has(CONFIG_FILE), fullText: FULL_TEXT_FILES.filter(has) };
}

/**
 * What a person does to put a result from a new directory in place, a sentence or a command a step, in the order that is safe to
 * interrupt anywhere: `payloads.log` exists at every instant, and no snapshot of the old log stands beside the new one. Nothing
 * but the log goes over: VelesDB lists a collection only with its `config.json` and the files beside it, which stay.
 */
export function stepsToPutInPlace(
  where: { directory: string; target: string },
  surroundings: Surroundings,
  unchanged: boolean,
): string[] {
  const directory = resolve(where.directory);
  const target = resolve(where.target);
  const at = (name: string) => quoted(join(directory, name));
  const aside = (name: string) => `mv -n ${at(name)} ${at(`${name}.before-recovery`)}`;
  const stop = `Stop every program that has the database open, so that nothing holds ${shown(join(dirname(directory), LOCK_FILE))}.`;
  const check = `Check the result (status 0, or 3 where unreadable payloads were kept): velescope verify ${quoted(directory)}`;
  if (unchanged) {
    const steps = ['The new log is byte for byte the old one: there is no log to put in place.'];
    if (!surroundings.hasSnapshot) return steps;
    return [
      ...steps,
      stop,
      `If ${SNAPSHOT_FILE} is what is wrong, move it aside and VelesDB reads the whole log: ${aside(SNAPSHOT_FILE)}`,
      check,
    ];
  }
  const steps = [
    stop,
    `Give the old log a second name, so that it is kept: ln ${at(LOG_FILE)} ${at(`${LOG_FILE}.before-recovery`)}`,
  ];
  if (surroundings.hasSnapshot) {
    steps.push(`Move the old log's snapshot aside before the new log is there: ${aside(SNAPSHOT_FILE)}`);
  }
  steps.push(
    // A copy of the old one first: the new log has to belong to the user that VelesDB runs as, and has to be writable for it.
    `Copy the new log beside the old one, with the old one's owner and mode: cp -p ${at(LOG_FILE)} ${at(`${LOG_FILE}.recovered`)} && cat ${quoted(join(target, LOG_FILE))} > ${at(`${LOG_FILE}.recovered`)} && sync`,
    `Put it in place in one step: mv ${at(`${LOG_FILE}.recovered`)} ${at(LOG_FILE)} && sync`,
  );
  if (surroundings.fullText.length > 0) {
    steps.push(
      `VelesDB trusts ${surroundings.fullText.join(' and ')} and would search an old text index; move them aside together and it is built anew: ${surroundings.fullText.map(aside).join(' && ')}`,
    );
  }
  if (!surroundings.hasConfig) {
    steps.push(
      `VelesDB lists a collection only with its ${CONFIG_FILE}, and ${shown(directory)} has none: bring it from a backup.`,
    );
  }
  steps.push(check);
  return steps;
}

/** A path as one word of a POSIX shell. */
export function quoted(path: string): string {
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(path)) return path;
  // A path with a line break or an escape in it must not reach a terminal as it is; bash and zsh read this form.
  if (path.search(INVISIBLE) >= 0) {
    const bytes = Buffer.from(path);
    let text = '';
    for (const byte of bytes) {
      const plain = byte >= 0x20 && byte < 0x7f && byte !== 0x27 && byte !== 0x5c;
      text += plain ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;
    }
    return `$'${text}'`;
  }
  return `'${path.replaceAll("'", `'\\''`)}'`;
}

function shown(path: string): string {
  return quoted(path);
}
