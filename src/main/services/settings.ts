import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { DEFAULT_GENERATION, VIEWS } from '../../core/generation.ts';
import { detailWidthSchema } from '../../shared/protocol.ts';

const MOST_RECENTS = 12;

const settingsSchema = z.object({
  theme: z.enum(['system', 'light', 'dark', 'contrast']).catch('system'),
  view: z.enum(VIEWS).catch(DEFAULT_GENERATION),
  detailWidth: detailWidthSchema.nullable().catch(null),
  recents: z.array(z.string()).max(MOST_RECENTS).catch([]),
});
export type Settings = z.infer<typeof settingsSchema>;

/** What a person chose, kept between runs in their own settings directory. Losing it is no failure: defaults take its place. */
export class SettingsStore {
  readonly #path: string;
  #settings: Settings;

  constructor(private readonly directory: string) {
    this.#path = join(directory, 'settings.json');
    let stored: unknown = {};
    try {
      stored = JSON.parse(readFileSync(this.#path, 'utf8'));
    } catch {
      // Missing at the first run, or not JSON.
    }
    this.#settings = settingsSchema.parse(typeof stored === 'object' && stored !== null ? stored : {});
  }

  get(): Settings {
    return this.#settings;
  }

  set(change: Partial<Settings>): void {
    this.#settings = { ...this.#settings, ...change };
    try {
      mkdirSync(this.directory, { recursive: true, mode: 0o700 });
      writeFileSync(`${this.#path}.tmp`, JSON.stringify(this.#settings, null, 2), { mode: 0o600 });
      renameSync(`${this.#path}.tmp`, this.#path);
    } catch {
      // A read-only home must not keep anybody from looking at a damaged log.
    }
  }

  remember(path: string): void {
    this.set({ recents: [path, ...this.#settings.recents.filter((recent) => recent !== path)].slice(0, MOST_RECENTS) });
  }
}
