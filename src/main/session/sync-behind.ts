import { closeSync, fdatasync, fdatasyncSync, fsync, open } from 'node:fs';
import { promisify } from 'node:util';

const dataSync = promisify(fdatasync);

/** A change is on its way to the disk this long after it was written. */
const BEHIND_MILLISECONDS = 400;

/** What of the system it calls; tests have another. */
const SYSTEM = { dataSync, dataSyncNow: fdatasyncSync, close: closeSync };

/**
 * Syncs a file that is written in small pieces: a moment behind the first piece that is not on the disk, not in the thread that writes.
 * While one sync runs the next waits, so a slow disk gets fewer and larger ones. Rejected: to wait until nothing is written any more (who types on
 * and on would never be synced), a sync for each piece (it takes longer than a key).
 */
export class SyncBehind {
  /** Something was written since the last sync began. */
  #unsynced = false;
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> | null = null;
  #failure: unknown = null;
  #ended = false;

  constructor(
    private readonly file: number,
    private readonly system = SYSTEM,
  ) {}

  /** Something was written. Throws what an earlier sync failed with: what was written before may be lost, and somebody has to be told. */
  wrote(): void {
    this.#unsynced = true;
    const failure = this.#failure;
    this.#failure = null;
    if (this.#running === null) {
      this.#timer ??= setTimeout(() => void this.#sync(), BEHIND_MILLISECONDS);
      this.#timer.unref();
    }
    if (failure !== null) throw failure;
  }

  /** Resolves when everything written so far is on the disk, or could not be brought there. */
  async settled(): Promise<void> {
    await this.#running;
    if (this.#unsynced && !this.#ended) await this.#sync();
  }

  /** Closes the file. What is to stay is synced first, now. Throws what the system says; the file is closed then too. */
  close(stays: boolean): void {
    this.#ended = true;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    try {
      if (stays && (this.#unsynced || this.#running)) this.system.dataSyncNow(this.file);
    } finally {
      // A sync that still runs is waited for by nobody: it fails, or syncs another file.
      this.system.close(this.file);
    }
  }

  #sync(): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#unsynced = false;
    this.#running = this.system
      .dataSync(this.file)
      .catch((thrown: unknown) => {
        this.#failure = thrown;
      })
      .then(() => {
        this.#running = null;
        if (!this.#unsynced || this.#ended) return;
        this.#timer = setTimeout(() => void this.#sync(), BEHIND_MILLISECONDS);
        this.#timer.unref();
      });
    return this.#running;
  }
}

/** Makes the name of a file that was created in a directory outlive a power failure, not in this thread. Nothing where the system cannot. */
export function syncNames(directory: string): void {
  open(directory, 'r', (failure, descriptor) => {
    if (!failure) fsync(descriptor, () => closeSync(descriptor));
  });
}
