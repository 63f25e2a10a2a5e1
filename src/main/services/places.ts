import { randomBytes } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { sep } from 'node:path';
import { VelescopeError } from '../../shared/errors.ts';

/** An opaque name for something a window may not name itself. Unguessable, so that one window cannot try another's. */
export function opaqueName(kind: string): string {
  return `${kind}-${randomBytes(12).toString('base64url')}`;
}

/**
 * Directories by opaque names. A window never sends a path: it sends back a name that it was given. With a root, no path outside of
 * it ever gets a name, also not through a symbolic link.
 */
export class Places {
  readonly #paths = new Map<string, string>();
  readonly #names = new Map<string, string>();
  readonly #root: string | null;

  constructor(root: string | null) {
    this.#root = root === null ? null : realpathSync(root);
  }

  /** The real path of the root, or null where everything may be opened. */
  get root(): string | null {
    return this.#root;
  }

  /** Whether a path, its links followed, lies in the root. A path that leads nowhere does not. */
  contains(path: string): boolean {
    if (this.#root === null) return true;
    let real: string;
    try {
      real = realpathSync(path);
    } catch {
      return false;
    }
    return real === this.#root || real.startsWith(this.#root.endsWith(sep) ? this.#root : this.#root + sep);
  }

  /** The name of a path; OUTSIDE_ROOT where it may not have one. */
  nameOf(path: string): string {
    this.require(path);
    const known = this.#names.get(path);
    if (known) return known;
    const name = opaqueName('place');
    this.#names.set(path, name);
    this.#paths.set(name, path);
    return name;
  }

  /** The path behind a name, checked again: a link may have been put in its way since. */
  pathOf(name: string): string {
    const path = this.#paths.get(name);
    if (path === undefined)
      throw new VelescopeError('NO_SUCH_PLACE', 'This place is not known here.', { next: 'Open it again.' });
    this.require(path);
    return path;
  }

  require(path: string): void {
    if (this.contains(path)) return;
    throw new VelescopeError('OUTSIDE_ROOT', 'This directory is not inside the one that is served.', {
      next: 'Start Velescope on the directory itself.',
    });
  }
}
