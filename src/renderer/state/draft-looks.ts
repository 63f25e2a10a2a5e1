import type { StoredDraft } from '../../shared/protocol.ts';
import { HEAD_LENGTH } from '../work/jobs.ts';

/** What lists show of a draft's text. */
export interface DraftLook {
  /** Its first characters. */
  head: string;
  bytes: number;
}

/** No more of a text than this is measured here. */
const MEASURED = 1 << 16;

/** Of drafts that were made in a worker: to look into a large text that came from there in pieces makes one of them, which takes a while. */
const known = new WeakMap<StoredDraft, DraftLook>();

export function noteLook(draft: StoredDraft, { head, bytes }: DraftLook): void {
  known.set(draft, { head, bytes });
}

export function lookOf(draft: StoredDraft): DraftLook {
  let look = known.get(draft);
  if (!look) {
    const text = draft.text ?? '';
    look = { head: text.slice(0, HEAD_LENGTH), bytes: new TextEncoder().encode(text.slice(0, MEASURED)).length };
    known.set(draft, look);
  }
  return look;
}
