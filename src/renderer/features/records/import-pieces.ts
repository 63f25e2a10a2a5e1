/** Characters of a piece, well under what the protocol takes at once. */
const PIECE = 1 << 20;

/** Whole lines of a file, the number of the first of them, and how many bytes of the file were read for it. */
export interface ImportPiece {
  text: string;
  firstLine: number;
  end: number;
}

/**
 * Cuts a file of lines into pieces of whole lines without ever holding it whole. A line longer than a piece is a piece of its own.
 * Rejects with a TypeError when the file is not UTF-8: replaced characters would be stored as if they had been there.
 */
export async function* importPieces(file: Blob, pieceLength = PIECE): AsyncGenerator<ImportPiece> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const reader = file.stream().getReader();
  let rest = '';
  let firstLine = 1;
  let end = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (value) end += value.length;
    rest += value ? decoder.decode(value, { stream: true }) : decoder.decode();
    while (rest.length >= pieceLength || (done && rest !== '')) {
      const cut =
        done && rest.length < pieceLength
          ? rest.length
          : rest.lastIndexOf('\n', pieceLength - 1) + 1 || rest.indexOf('\n') + 1;
      if (cut === 0 && !done) break;
      const text = cut === 0 ? rest : rest.slice(0, cut);
      rest = rest.slice(text.length);
      yield { text, firstLine, end };
      firstLine += text.split('\n').length - 1;
    }
    if (done) return;
  }
}
