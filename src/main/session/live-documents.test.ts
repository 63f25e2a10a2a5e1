import { expect, test } from 'vitest';
import { fingerprintOf } from '../../core/fingerprint.ts';
import { runToEnd } from '../../core/steps.ts';
import { LiveDocuments } from './live-documents.ts';

const opened = (document: string, text: string) => ({ document, id: '1', compact: false, opened: text, base: null });

test('what is typed between two drafts is all that the second one needs', () => {
  const live = new LiveDocuments();
  live.begin(opened('d', 'abc'));
  const made = (step: number, text: string) => runToEnd(live.get('d')!.textAt(step, fingerprintOf(text)));
  live.step('d', 2, [[0, 0, '2']]);
  expect(made(2, '21abc')).toBeNull();
  live.step('d', 1, [[0, 0, '1']]);
  expect(made(2, '21abc')).toBe('21abc');
  live.step('d', 3, [[5, 5, '3']]);
  expect(made(3, '21abc3')).toBe('21abc3');
});

test('two drafts that are made side by side do not disturb each other', () => {
  const live = new LiveDocuments();
  live.begin({ ...opened('d', '{"a":1}'), compact: true });
  live.step('d', 1, [[10, 10, '2']]);
  const first = live.get('d')!.textAt(1, fingerprintOf('{"a":12}'));
  first.next();
  live.step('d', 2, [[11, 11, '3']]);
  expect(runToEnd(live.get('d')!.textAt(2, fingerprintOf('{"a":123}')))).toBe('{"a":123}');
  // It is too late for this one, and nobody is told anything wrong.
  expect([null, '{"a":12}']).toContain(runToEnd(first));
});

test('changes that do not fit are an error, and then there is no draft', () => {
  const live = new LiveDocuments();
  live.begin(opened('d', 'abc'));
  live.step('d', 1, [[7, 8, '']]);
  const make = () => runToEnd(live.get('d')!.textAt(1, fingerprintOf('abc')));
  expect(make).toThrow(RangeError);
});

test('those that were edited longest ago are given up where there are too many', () => {
  const live = new LiveDocuments(10);
  for (const name of ['a', 'b']) live.begin(opened(name, 'four'));
  live.step('a', 1, [[0, 0, 'x']]);
  live.begin(opened('c', 'four'));
  expect(['a', 'b', 'c'].filter((name) => live.get(name))).toEqual(['a', 'c']);
  live.step('c', 1, [[0, 0, 'much too much']]);
  expect(['a', 'c'].filter((name) => live.get(name))).toEqual(['c']);
});
