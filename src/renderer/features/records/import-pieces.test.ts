import fc from 'fast-check';
import { expect, test } from 'vitest';
import { importPieces } from './import-pieces.ts';

async function piecesOf(text: string, length: number) {
  const pieces = [];
  for await (const piece of importPieces(new Blob([text]), length)) pieces.push(piece);
  return pieces;
}

test('pieces are whole lines, in order, and together the whole file', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.stringMatching(/^[a-zäλ😀]{0,12}$/u), { maxLength: 40 }),
      fc.integer({ min: 1, max: 50 }),
      async (lines, length) => {
        const text = lines.join('\n');
        const pieces = await piecesOf(text, length);
        expect(pieces.map((piece) => piece.text).join('')).toBe(text);
        let line = 1;
        for (const [index, piece] of pieces.entries()) {
          expect(piece.firstLine).toBe(line);
          if (index < pieces.length - 1) expect(piece.text.endsWith('\n')).toBe(true);
          line += piece.text.split('\n').length - 1;
        }
      },
    ),
  );
});

test('a file that is not UTF-8 is refused, not repaired', async () => {
  const pieces = importPieces(new Blob([new Uint8Array([0x7b, 0xff, 0x7d])]));
  await expect(pieces.next()).rejects.toThrow(TypeError);
});
