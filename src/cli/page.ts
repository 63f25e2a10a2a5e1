import { stripVTControlCharacters, styleText } from 'node:util';
import type { Output } from './output.ts';

/** A label in the margin, and what stands beside it, begin here. */
const MARGIN = 2;
const LABEL_WIDTH = 12;
/** Longer lines are hard to read, however wide the terminal is. */
const WIDEST = 120;
/** Below this there is no room beside the margin, and the terminal may break lines as it likes. */
const NARROWEST = 40;

type Style = 'red' | 'green' | 'yellow' | 'bold' | 'dim';

/**
 * Lines of text for people, with styles where the output may have colour. On a terminal, sentences are broken between words at its width;
 * in a pipe or a file each stays one line, so that `grep` finds it whole and mail programs break it as they like.
 */
export class Page {
  readonly #width: number | null;

  constructor(readonly output: Output) {
    const { columns } = output;
    this.#width = columns === null || columns < NARROWEST ? null : Math.min(columns, WIDEST);
  }

  /** Text of ours; what comes from names or payloads has gone through `escapeInvisible`. */
  line(text: string): void {
    this.output.write(`${text.trimEnd()}\n`);
  }

  /** A line with a label in the margin; a long one goes on below, beside the margin. */
  labelled(label: string, text: string): void {
    this.beside(`${' '.repeat(MARGIN)}${this.style('dim', label.padEnd(LABEL_WIDTH))}`, MARGIN + LABEL_WIDTH, text);
  }

  /** Text beside something that is so wide; what does not fit goes on below it. */
  beside(head: string, width: number, text: string): void {
    const room = this.#width === null ? Number.POSITIVE_INFINITY : this.#width - width;
    wrapped(text, room).forEach((part, at) => {
      this.line(`${at === 0 ? head : ' '.repeat(width)}${part}`);
    });
  }

  style(style: Style, text: string): string {
    // The caller has decided whether there is colour; styleText would look at the process's own stream.
    return this.output.colour && text.trim() !== '' ? styleText(style, text, { validateStream: false }) : text;
  }
}

/**
 * Text in lines of at most so many characters, broken at spaces; lines after the first of a list item are indented as it is. A word that
 * is longer than a line stays whole: it is a path or a number, and somebody will copy it.
 */
export function wrapped(text: string, room: number): string[] {
  if (lengthShown(text) <= room) return [text];
  const indent = ' '.repeat(/^(?:- )?/.exec(text)![0].length);
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line.trim() !== '' && lengthShown(longer) > room) {
      lines.push(line);
      line = `${indent}${word}`;
    } else {
      line = longer;
    }
  }
  lines.push(line);
  return lines;
}

/** How much room a text takes; styles take none. */
function lengthShown(text: string): number {
  return stripVTControlCharacters(text).length;
}

/** A count as people read it. */
export function number(value: number): string {
  return value.toLocaleString('en');
}

/** A count with what it counts. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${number(value)} ${value === 1 ? one : many}`;
}
