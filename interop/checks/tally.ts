import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';

export interface Counts {
  /** Single facts compared: an answer to one call, one id's value, one count. */
  operations: number;
  directories: number;
  disagreements: number;
}

export interface Disagreement {
  release: string;
  check: string;
  what: string;
  velesdb: unknown;
  velescope: unknown;
  /** Where the files are that it was seen on. */
  kept: string | null;
}

/** Counts what was compared, for each release, and keeps what did not agree. */
export class Tally {
  readonly counts = new Map<string, Counts>();
  readonly disagreements: Disagreement[] = [];
  readonly notes: string[] = [];
  readonly #results: string;

  constructor(results: string) {
    this.#results = results;
  }

  of(release: string): Counts {
    const counts = this.counts.get(release) ?? { operations: 0, directories: 0, disagreements: 0 };
    this.counts.set(release, counts);
    return counts;
  }

  directory(release: string): void {
    this.of(release).directories++;
  }

  /** An operation that was carried out and whose outcome is compared later, with everything else in its directory. */
  operation(release: string): void {
    this.of(release).operations++;
  }

  /**
   * Compares what a release answered with what Velescope said. The first disagreements of a run keep a copy of the two files they
   * were seen on; returns whether both agree.
   */
  same(
    release: string,
    check: string,
    what: string,
    velesdb: unknown,
    velescope: unknown,
    directory?: string,
  ): boolean {
    const counts = this.of(release);
    counts.operations++;
    if (isDeepStrictEqual(velesdb, velescope)) return true;
    counts.disagreements++;
    if (this.disagreements.length < 200) {
      const kept = directory === undefined ? null : this.#keep(directory);
      this.disagreements.push({ release, check, what, velesdb, velescope, kept });
      if (this.disagreements.length <= 20) {
        console.log(
          `DISAGREEMENT ${release} ${check}: ${what}\n  VelesDB   ${short(velesdb)}\n  Velescope ${short(velescope)}`,
        );
        if (kept !== null) console.log(`  kept in ${kept}`);
      }
    }
    return false;
  }

  /** What was left out, and why: nothing is skipped in silence. */
  note(text: string): void {
    this.notes.push(text);
    console.log(`  note: ${text}`);
  }

  #keep(directory: string): string {
    const name = `disagreement-${this.disagreements.length + 1}`;
    const kept = join(this.#results, name);
    mkdirSync(kept, { recursive: true });
    for (const file of ['payloads.log', 'payloads.snapshot']) {
      if (existsSync(join(directory, file))) copyFileSync(join(directory, file), join(kept, file));
    }
    return join('interop', 'results', name);
  }

  write(file: string, value: unknown): void {
    mkdirSync(this.#results, { recursive: true });
    writeFileSync(join(this.#results, file), `${JSON.stringify(value, null, 1)}\n`);
  }
}

function short(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 400 ? `${text.slice(0, 400)}…` : text;
}
