import type { TextEdit } from '../../core/json/edits.ts';
import { call } from '../connection/current.ts';
import { useSession } from './session.ts';

let count = 0;

/** What of a document is in the journal: its name there, and the number of its last change. */
export interface Edited {
  document: string;
  step: number;
}

/**
 * The changes of one large document, sent on as they are made: its draft is made when typing pauses, in a worker, and a page that is
 * reloaded before that would lose them. What is sent is the change, not the text.
 */
export class Journal {
  readonly #document = `${Date.now().toString(36)}-${count++}`;
  #step = 0;

  /** @param draft `changedAt` of the draft that was opened; null where it was the record */
  constructor(
    private readonly id: string,
    private readonly draft: string | null,
    private readonly compact: boolean,
  ) {}

  /** How far it was sent on. */
  get edited(): Edited {
    return { document: this.#document, step: this.#step };
  }

  /** @param base where the record is that the edit begins from */
  add(edits: readonly TextEdit[], base: string | null): void {
    const { session } = useSession.getState();
    if (!session || edits.length === 0) return;
    this.#step++;
    const opened = this.#step === 1 ? { opened: { draft: this.draft, compact: this.compact } } : {};
    const copied = edits.map(([from, to, insert]): [number, number, string] => [from, to, insert]);
    const params = { session, id: this.id, edited: this.edited, edits: copied, base, ...opened };
    // Where it cannot be kept so, the draft that follows says what is wrong.
    call('drafts.journal', params).catch(() => {});
  }
}
