import type { TextEdit } from '../../core/json/edits.ts';
import type { Params } from '../../shared/protocol.ts';
import { call } from '../connection/current.ts';
import { useSession } from './session-state.ts';

let count = 0;

/** What of a document is in the journal: its name there, and the number of its last change. */
export interface Edited {
  document: string;
  step: number;
}

/** What the first change is made to. */
export type Opened = NonNullable<Params<'drafts.journal'>['opened']>;

/**
 * The changes of one large document, sent on as they are made: its draft is made when typing pauses, in a worker, and a page that is
 * reloaded before that would lose them. What is sent is the change, not the text.
 */
export class Journal {
  readonly #document = `${Date.now().toString(36)}-${count++}`;
  #step = 0;

  constructor(
    private readonly id: string,
    private readonly opened: Opened,
  ) {}

  /** How far it was sent on. */
  get edited(): Edited {
    return { document: this.#document, step: this.#step };
  }

  /** @param base where the record is that the edit begins from */
  add(edits: readonly TextEdit[], base: string | null): void {
    const { session } = useSession.getState();
    if (!session || edits.length === 0) return;
    // The opening goes by itself, so that it is small and nothing overtakes it.
    if (this.#step === 0) this.#send({ session, edits: [], base, opened: this.opened });
    this.#send({
      session,
      edits: edits.map(([from, to, insert]): [number, number, string] => [from, to, insert]),
      base,
    });
  }

  #send(change: Omit<Params<'drafts.journal'>, 'id' | 'edited'>): void {
    this.#step++;
    // Where it cannot be kept so, the draft that follows says what is wrong.
    call('drafts.journal', { ...change, id: this.id, edited: this.edited }).catch(() => {});
  }
}
