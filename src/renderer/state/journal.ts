import type { TextEdit } from '../../core/json/edits.ts';
import type { Params } from '../../shared/protocol.ts';
import { call } from '../connection/current.ts';
import { useSession } from './session-state.ts';

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
  #step = 0;
  /** The session it was begun in: another one, as after the connection broke, knows nothing of it. */
  #session: string | null = null;
  /** What is to go behind an opening that is under way; null where nothing has to wait. */
  #waiting: (() => void)[] | null = null;

  /** @param document its name, which no other document has, also of another window */
  constructor(
    private readonly id: string,
    private readonly document: string,
    private readonly opened: Opened,
  ) {}

  /** How far it was sent on. */
  get edited(): Edited {
    return { document: this.document, step: this.#step };
  }

  /** Whether the session it was begun in is over: another journal has to go on from what is displayed. */
  get isOver(): boolean {
    return this.#step > 0 && this.#session !== useSession.getState().session;
  }

  /** @param base where the record is that the edit begins from */
  add(edits: readonly TextEdit[], base: string | null): void {
    const { session } = useSession.getState();
    if (!session || edits.length === 0) return;
    if (this.#step === 0) this.#begin(session, base);
    void this.#send({
      session,
      edits: edits.map(([from, to, insert]): [number, number, string] => [from, to, insert]),
      base,
    });
  }

  /** The opening goes by itself, so that it is small; where it carries a text it may not be, and what follows would overtake it. */
  #begin(session: string, base: string | null): void {
    this.#session = session;
    const begun = this.#send({ session, edits: [], base, opened: this.opened });
    if (this.opened.displayed === undefined) return;
    this.#waiting = [];
    void begun.then(() => {
      const waiting = this.#waiting ?? [];
      this.#waiting = null;
      for (const send of waiting) send();
    });
  }

  async #send(change: Omit<Params<'drafts.journal'>, 'id' | 'edited'>): Promise<void> {
    this.#step++;
    const { id, edited } = this;
    const send = async (): Promise<void> => {
      // Where it cannot be kept so, the draft that follows says what is wrong.
      await call('drafts.journal', { ...change, id, edited }).catch(() => {});
    };
    if (this.#waiting) this.#waiting.push(() => void send());
    else await send();
  }
}
