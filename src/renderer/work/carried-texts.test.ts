import { expect, test } from 'vitest';
import { CARRIED_FROM, piecesOfText, putTextsBack, takeTextsOut } from './carried-texts.ts';

const LARGE = '😀'.repeat(CARRIED_FROM);

test('large texts are taken out of a message, which stays as it was, and put back where they belong', () => {
  const message = {
    call: 7,
    params: { draft: { text: LARGE, base: { text: `x${LARGE}`, offset: '0' } }, ids: ['1', LARGE] },
  };
  const whole = structuredClone(message);
  const taken = takeTextsOut(message);
  expect(message).toEqual(whole);
  expect(taken.texts.map(({ path }) => path.join('.'))).toEqual([
    'params.draft.text',
    'params.draft.base.text',
    'params.ids.1',
  ]);
  expect(JSON.stringify(taken.message).length).toBeLessThan(200);
  const received = structuredClone(taken.message);
  putTextsBack(received, taken.texts);
  expect(received).toEqual(whole);
});

test('a message without large texts is passed on itself', () => {
  const message = { pieces: [new Uint8Array(CARRIED_FROM)], name: 'a' };
  expect(takeTextsOut(message)).toEqual({ message, texts: [] });
  expect(takeTextsOut(message).message).toBe(message);
});

test('pieces are of whole characters, and the whole of a text', () => {
  for (const text of [LARGE, `x${LARGE}`, '']) {
    const pieces = [...piecesOfText(text)];
    expect(pieces.every((piece) => piece.isWellFormed())).toBe(true);
    expect(pieces.join('') === text).toBe(true);
  }
});
