import { randomUUID } from 'node:crypto';
import { VelescopeError } from '../../shared/errors.ts';
import type { Draft, Result } from '../../shared/protocol.ts';
import type { DraftStep, DraftStore } from './drafts.ts';

/** Changes that can be taken back; older ones are forgotten. */
const REMEMBERED = 32;

/** Remembers what was done to the drafts of a session, so that a drop, or a whole import, can be taken back. */
export class DraftHistory {
  /** By name, the oldest first; the steps by id. */
  readonly #changes = new Map<string, Map<string, DraftStep>>();

  constructor(private readonly drafts: DraftStore) {}

  /** Remembers a change; steps of one name are one change. Returns the name. */
  remember(steps: readonly DraftStep[], name: string = randomUUID()): string {
    const change = this.#changes.get(name) ?? new Map<string, DraftStep>();
    for (const step of steps) {
      const earlier = change.get(step.id);
      change.set(step.id, earlier ? { ...step, before: earlier.before } : step);
    }
    this.#changes.delete(name);
    this.#changes.set(name, change);
    for (const old of this.#changes.keys()) {
      if (this.#changes.size <= REMEMBERED) break;
      this.#changes.delete(old);
    }
    return name;
  }

  /** Whether a change made the draft of an id. */
  has(name: string, id: string): boolean {
    return this.#changes.get(name)?.get(id)?.after != null;
  }

  /** Takes a change back. What was changed again since is left as it is. */
  takeBack(name: string): Result<'drafts.takeBack'> {
    const change = this.#changes.get(name);
    if (!change) throw new VelescopeError('NOT_ALLOWED', 'This change to the drafts cannot be taken back any more.');
    let left = 0;
    const steps = this.drafts.change((now) => {
      const changes = new Map<string, Draft | null>();
      left = 0;
      for (const { id, before, after } of change.values()) {
        if ((now.get(id)?.changedAt ?? null) !== after) left++;
        else if (before !== null || after !== null) changes.set(id, before);
      }
      return changes;
    });
    this.#changes.delete(name);
    const restored = steps.filter(({ after }) => after !== null).length;
    return { restored, dropped: steps.length - restored, left };
  }
}
