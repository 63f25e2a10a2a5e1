/*
 * A value or key that is typed in a field of its own is part of no text until it is committed. What is done with the text meanwhile,
 * by a key or by leaving the page, is about what stands in the field as well.
 */

/** Takes what stands in the field into its text. False where it cannot be; the field says why. */
type Commit = () => boolean;

let open: Commit | null = null;

/** A field was opened. Returns what says that it is no more. */
export function openField(commit: Commit): () => void {
  open = commit;
  return () => {
    if (open === commit) open = null;
  };
}

/** Takes what is being typed into its text, before something is done with it. False where it cannot be taken. */
export function commitField(): boolean {
  return open?.() ?? true;
}
