import * as fs from 'node:fs';

/** Who holds a lock. */
export interface Holder {
  readonly pid: number;
  /** The process's name as the kernel keeps it (at most 15 bytes); null where it cannot be read. */
  readonly name: string | null;
}

/**
 * Who holds the flock of a file, without trying to take it: trying would, for a moment, keep a starting VelesDB out. Linux
 * tells in /proc/locks; null where nobody holds it, where the file is missing, and on every other system, where nothing
 * tells. A holder outside our container is not listed either, so null means "nobody known".
 */
export function findHolder(path: string): Holder | null {
  if (process.platform !== 'linux') return null;
  let table: string;
  let status: fs.BigIntStats;
  try {
    status = fs.statSync(path, { bigint: true });
    table = fs.readFileSync('/proc/locks', 'utf8');
  } catch {
    return null;
  }
  const locks = parseLocks(table).filter((lock) => lock.inode === status.ino);
  const exact = locks.find((lock) => lock.device === status.dev);
  // btrfs and overlay file systems report another device to stat than to the lock table: then the process has to have
  // the very path open.
  const lock = exact ?? locks.find((candidate) => hasOpen(candidate.pid, path));
  return lock === undefined ? null : { pid: lock.pid, name: processName(lock.pid) };
}

export interface FlockEntry {
  readonly pid: number;
  /** As `stat` gives it. */
  readonly device: bigint;
  readonly inode: bigint;
}

/**
 * The flocks held, from the text of /proc/locks: `1: FLOCK  ADVISORY  WRITE 7866 fe:00:9977987 0 EOF`, major and minor
 * hexadecimal, inode decimal. Waiting processes (`1: -> FLOCK`) and other kinds of lock are left out.
 */
export function parseLocks(table: string): FlockEntry[] {
  const entries: FlockEntry[] = [];
  for (const line of table.split('\n')) {
    const match = /^\d+: FLOCK +\S+ +\S+ +(\d+) +([0-9a-f]+):([0-9a-f]+):(\d+) /.exec(line);
    if (match === null) continue;
    const [, pid, major, minor, inode] = match as unknown as [string, string, string, string, string];
    entries.push({
      pid: Number(pid),
      device: makeDevice(BigInt(`0x${major}`), BigInt(`0x${minor}`)),
      inode: BigInt(inode),
    });
  }
  return entries;
}

/** A device number as Linux encodes it for `stat`: twelve low bits of the major between eight and the rest of the minor. */
function makeDevice(major: bigint, minor: bigint): bigint {
  return (minor & 0xffn) | ((major & 0xfffn) << 8n) | ((minor & ~0xffn) << 12n) | ((major & ~0xfffn) << 32n);
}

function hasOpen(pid: number, path: string): boolean {
  try {
    const wanted = fs.realpathSync(path);
    const descriptors = `/proc/${pid}/fd`;
    return fs.readdirSync(descriptors).some((name) => {
      try {
        return fs.readlinkSync(`${descriptors}/${name}`) === wanted;
      } catch {
        return false;
      }
    });
  } catch {
    return false;
  }
}

function processName(pid: number): string | null {
  try {
    return fs.readFileSync(`/proc/${pid}/comm`, 'utf8').trimEnd();
  } catch {
    return null;
  }
}
