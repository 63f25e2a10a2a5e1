import { expect, test } from 'vitest';
import { inOrder, textLength } from './large-messages.ts';

test('messages stay in order, also where one takes a while', async () => {
  const passed: string[] = [];
  const releases: (() => void)[] = [];
  const send = inOrder<string, string>(
    (message) => (message.startsWith('slow') ? new Promise((resolve) => releases.push(() => resolve(message))) : null),
    (message) => message,
    (message) => void passed.push(message),
    () => passed.push('failed'),
  );
  for (const message of ['a', 'slow 1', 'b', 'slow 2', 'c']) send(message);
  expect(passed).toEqual(['a']);
  releases[1]!();
  await new Promise((resolve) => setTimeout(resolve));
  expect(passed).toEqual(['a']);
  releases[0]!();
  await expect.poll(() => passed).toEqual(['a', 'slow 1', 'b', 'slow 2', 'c']);
  send('d');
  expect(passed.at(-1)).toBe('d');
});

test('behind a message that has no other form nothing is passed on', async () => {
  const passed: string[] = [];
  let failures = 0;
  const send = inOrder<string, string>(
    (message) => (message === 'bad' ? Promise.reject(new Error('no form')) : null),
    (message) => message,
    (message) => void passed.push(message),
    () => failures++,
  );
  for (const message of ['a', 'bad', 'b']) send(message);
  await expect.poll(() => failures).toBeGreaterThan(0);
  expect(passed).toEqual(['a']);
});

test('the length of a message is that of its texts', () => {
  expect(textLength({ params: { draft: { text: 'abc', base: { text: 'de', offset: null } } }, call: 4 })).toBe(5);
});
