import type { Text } from '@codemirror/state';
import { checkText, type TextCheck } from '../../core/json/check-text.ts';
import { LARGE_FROM, payloadWork } from '../work/work.ts';
import { sourceOf } from './large-text.ts';

const checks = new WeakMap<Text, TextCheck>();

/** What VelesDB says to the text of a document, where that is known already or known at once. */
export function quickCheck(doc: Text): TextCheck | null {
  const known = checks.get(doc);
  if (known || doc.length >= LARGE_FROM) return known ?? null;
  const check = checkText(doc.toString());
  checks.set(doc, check);
  return check;
}

/** The same of a document of any size; the check of a large one is done beside the window. Rejects with CANCELLED by the signal. */
export async function checkDocument(doc: Text, signal?: AbortSignal): Promise<TextCheck> {
  const known = quickCheck(doc);
  if (known) return known;
  const check = await payloadWork.run('check', { text: '' }, { source: sourceOf(doc), ...(signal ? { signal } : {}) });
  checks.set(doc, check);
  return check;
}
