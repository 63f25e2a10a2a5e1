/** What the live check of the window runs, made into one script for a blank page. */
export { canonicalize } from '../src/core/json/canonicalize.ts';
export { checkPayload, isAccepted } from '../src/core/json/check.ts';
