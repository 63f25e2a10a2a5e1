import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type ImportPiece, importPieces, type RefusedLine } from './import-pieces.ts';

const encoder = new TextEncoder();

/** A file whose stream comes in chunks of this many bytes. */
function fileOf(bytes: Uint8Array<ArrayBuffer>, chunk: number): Blob {
  const blob = new Blob([bytes]);
  blob.stream = () =>
    new ReadableStream({
      start(controller) {
        for (let at = 0; at < bytes.length; at += chunk) controller.enqueue(bytes.slice(at, at + chunk));
        controller.close();
      },
    });
  return blob;
}

async function piecesOf(
  content: string | Uint8Array<ArrayBuffer>,
  limits: { piece?: number; line?: number; chunk?: number } = {},
): Promise<{ pieces: ImportPiece[]; refused: RefusedLine['refused'] | null }> {
  const { piece = 1 << 20, line = 1 << 20, chunk = 1 << 16 } = limits;
  const bytes = typeof content === 'string' ? encoder.encode(content) : content;
  const pieces: ImportPiece[] = [];
  for await (const part of importPieces(fileOf(bytes, chunk), { piece, line })) {
    if ('refused' in part) return { pieces, refused: part.refused };
    pieces.push(part);
  }
  return { pieces, refused: null };
}

test('pieces are whole lines, in order, and together the whole file', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.stringMatching(/^[a-zäλ😀]{0,12}$/u), { maxLength: 40 }),
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1, max: 200 }),
      async (lines, piece, chunk) => {
        const text = lines.join('\n');
        const { pieces, refused } = await piecesOf(text, { piece, chunk });
        expect(refused).toBeNull();
        expect(pieces.map((each) => each.text).join('')).toBe(text);
        let line = 1;
        for (const [index, each] of pieces.entries()) {
          expect(each.firstLine).toBe(line);
          if (index < pieces.length - 1) expect(each.text.endsWith('\n')).toBe(true);
          // Longer than asked for only where it is one line.
          if (each.lastLine > each.firstLine) expect(encoder.encode(each.text).length).toBeLessThanOrEqual(piece);
          line = each.lastLine + 1;
        }
        expect(pieces.at(-1)?.end ?? 0).toBe(encoder.encode(text).length);
      },
    ),
  );
});

test('a line that is not UTF-8 is refused by its number, not repaired, and what comes before it is taken', async () => {
  const bytes = Uint8Array.of(...encoder.encode('one\ntwo\nth'), 0xff, ...encoder.encode('ree\nfour\n'));
  for (const piece of [1, 6, 100]) {
    const { pieces, refused } = await piecesOf(bytes, { piece });
    expect(pieces.map(({ text }) => text).join('')).toBe('one\ntwo\n');
    expect(pieces.at(-1)!.lastLine).toBe(2);
    expect(refused).toMatchObject({ line: 3, code: 'BAD_REQUEST', message: expect.stringContaining('UTF-8') });
  }
});

test('a character that is cut by the end of the file is refused', async () => {
  const { refused } = await piecesOf(encoder.encode('one\nä').slice(0, -1));
  expect(refused).toMatchObject({ line: 2 });
});

test('a line that is too long is refused by its number, without reading on', async () => {
  let read = 0;
  const endless = new Blob();
  endless.stream = () =>
    new ReadableStream({
      pull(controller) {
        read++;
        controller.enqueue(encoder.encode(read === 1 ? 'one\ntwo\n' : 'x'.repeat(1_000)));
      },
    });
  const parts = [];
  for await (const part of importPieces(endless, { piece: 100, line: 10_000 })) parts.push(part);
  expect(parts).toMatchObject([{ text: 'one\ntwo\n', lastLine: 2 }, { refused: { line: 3, code: 'TOO_LARGE' } }]);
  expect(read).toBeLessThan(20);
});

test('a long line between short ones is a piece of its own, and refused where it is too long', async () => {
  const text = `a\n${'b'.repeat(500)}\nc\n`;
  const taken = await piecesOf(text, { piece: 10, chunk: 7 });
  expect(taken.pieces.map((each) => each.text)).toEqual(['a\n', `${'b'.repeat(500)}\n`, 'c\n']);
  for (const chunk of [7, 10_000]) {
    const { pieces, refused } = await piecesOf(text, { piece: 10, chunk, line: 400 });
    expect(pieces.map((each) => each.text)).toEqual(['a\n']);
    expect(refused).toMatchObject({ line: 2, code: 'TOO_LARGE' });
  }
});

test('a byte order mark is passed over at the beginning of the file, and nowhere else', async () => {
  const { pieces } = await piecesOf('\ufeffone\n\ufefftwo\n', { piece: 4 });
  expect(pieces.map((each) => each.text).join('')).toBe('one\n\ufefftwo\n');
});

test('a file in UTF-16 is said to be that', async () => {
  const { refused } = await piecesOf(Uint8Array.of(0xff, 0xfe, 0x7b, 0x00));
  expect(refused).toMatchObject({ line: 1, message: expect.stringContaining('UTF-16') });
});
