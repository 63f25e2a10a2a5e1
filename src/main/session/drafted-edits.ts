import type { Steps } from '../../core/steps.ts';
import type { DraftStore } from './drafts.ts';
import { isDone } from './is-done.ts';
import type { EditJournal } from './journal.ts';

/** How far a document is in its draft. */
interface Drafted {
  ids: readonly string[];
  step: number;
}

/**
 * What of the journal is in drafts. The journal is told only once those are on the disk: where the disk does not take a draft, which is as large
 * as its payload, it mostly has the changes, and with them the draft can be made again.
 */
export class DraftedEdits {
  /** Documents whose drafts the disk has not taken. */
  readonly #unsettled = new Map<string, Drafted>();

  constructor(
    private readonly drafts: DraftStore,
    private readonly journal: EditJournal,
  ) {}

  /** What was edited of these ids is in their drafts, up to a step of a document; or it is not wanted any more. */
  settle(ids: readonly string[], edited?: { document: string; step: number }): void {
    if (edited) this.#unsettled.set(edited.document, { ids, step: edited.step });
    else isDone(() => this.journal.drop(ids));
    this.settleKept();
  }

  /** After drafts changed: the disk may have taken them by now. */
  settleKept(): void {
    if (this.drafts.isKept) this.#settleWhere(() => true);
  }

  /** The drafts of these ids are in the log: whatever becomes of them on the disk, they are not wanted again. */
  settleWritten(ids: readonly string[]): void {
    const written = new Set(ids);
    this.#settleWhere((drafted) => drafted.ids.every((id) => written.has(id)));
  }

  /** What sessions that ended before they could make drafts of it had edited becomes drafts. */
  *takeUp(warn: (words: string, next: string) => void): Steps<void> {
    const { drafts, journal } = this;
    yield* journal.takeUp({
      isOvertaken({ draft, at }) {
        const before = drafts.get(draft.id);
        return before !== undefined && Date.parse(before.changedAt) > at && before.text !== draft.text;
      },
      keep(left) {
        const made = new Map(
          left.map(({ draft, document }) => [
            draft.id,
            draft.text === draft.base?.text ? null : { ...draft, document },
          ]),
        );
        // A change writes all drafts anew.
        if (made.size > 0) drafts.change(() => made);
        return drafts.isKept;
      },
      warn,
    });
    if (drafts.isKept) journal.forgetTaken();
  }

  #settleWhere(isSettled: (drafted: Drafted) => boolean): void {
    for (const [document, drafted] of this.#unsettled) {
      if (!isSettled(drafted)) continue;
      this.#unsettled.delete(document);
      // A disk that does not take this word is no failure of the draft.
      isDone(() => this.journal.keep(document, drafted.step));
    }
  }
}
