import { writeSync } from 'node:fs';
import { DraftStore } from './drafts.ts';

/**
 * A process of its own that keeps drafts, one after the other, and drops every third again: SETTINGS DIRECTORY FIRST COUNT. It prints a
 * line for each change once that is kept: the id, with a minus where the draft was dropped.
 */
const [settings = '', directory = '', first = '0', count = '0'] = process.argv.slice(2);
const store = new DraftStore(settings, directory, (warning) => {
  throw warning;
});
for (let at = 0; at < Number(count); at++) {
  const id = String(Number(first) + at);
  store.put([{ id, action: 'store', text: `"${id}"`, base: null }]);
  writeSync(1, `${id}\n`);
  if (at % 3 !== 0) continue;
  store.drop([id]);
  writeSync(1, `-${id}\n`);
}
