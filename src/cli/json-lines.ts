import { escapeInvisible } from '../core/visible.ts';
import type { Output } from './output.ts';

/** How much of a payload is held at once while it is printed; a multiple of three, so that base64 pieces join. */
const PIECE = 48 << 10;

/**
 * Prints one JSON object a line (docs/contract.md, "Command line"), in pieces: a string in V8 ends near 512 MB, which an index, a list of
 * segments or a payload can pass. On a terminal everything invisible is written as a JSON escape; in a pipe text is as stored.
 */
export class JsonLines {
  constructor(readonly output: Output) {}

  /** One whole line. */
  line(value: object): void {
    this.output.write(`${this.#visible(JSON.stringify(value))}\n`);
  }

  /** The beginning of a line: an object without its closing brace, which pieces will follow. */
  open(value: object): void {
    this.output.write(this.#visible(JSON.stringify(value)).slice(0, -1));
  }

  /** An object's members as a piece, without its braces. */
  members(value: object): void {
    this.output.write(this.#visible(JSON.stringify(value)).slice(1, -1));
  }

  /** A piece of a line: text of ours (braces, keys, numbers). */
  piece(text: string): void {
    this.output.write(text);
  }

  /** A value as a piece of a line. */
  value(value: unknown): void {
    this.output.write(this.#visible(JSON.stringify(value)));
  }

  #visible(text: string): string {
    return this.output.isTerminal ? escapeInvisible(text) : text;
  }

  /**
   * A payload that VelesDB reads, as a piece: the text as stored, each CR and LF (legal only between tokens) as a space. The bytes must
   * stay as they are until the returned promise resolves.
   */
  async payload(bytes: Uint8Array): Promise<void> {
    const decoder = this.output.isTerminal ? new TextDecoder('utf-8', { ignoreBOM: true }) : null;
    for (let at = 0; at < bytes.length; at += PIECE) {
      const piece = inOneLine(bytes.subarray(at, at + PIECE));
      if (decoder) {
        // A tab is legal between tokens only, like CR and LF; an escape in its place would not be.
        this.output.write(escapeInvisible(decoder.decode(piece, { stream: true }).replaceAll('\t', ' ')));
      } else {
        this.output.writeBytes(piece);
      }
      if (this.output.isFull) await this.output.settle();
    }
    if (decoder) this.output.write(decoder.decode());
  }

  /** Bytes as a base64 string, quotes included. */
  async base64(bytes: Uint8Array): Promise<void> {
    this.output.write('"');
    for (let at = 0; at < bytes.length; at += PIECE) {
      const piece = bytes.subarray(at, at + PIECE);
      this.output.write(Buffer.from(piece.buffer, piece.byteOffset, piece.length).toString('base64'));
      if (this.output.isFull) await this.output.settle();
    }
    this.output.write('"');
  }
}

function inOneLine(bytes: Uint8Array): Uint8Array {
  if (bytes.indexOf(0x0a) < 0 && bytes.indexOf(0x0d) < 0) return bytes;
  return bytes.map((byte) => (byte === 0x0a || byte === 0x0d ? 0x20 : byte));
}
