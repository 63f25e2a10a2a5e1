import { parseU64 } from '../../../core/u64.ts';
import type { Filter } from '../../../shared/protocol.ts';

/**
 * What the person typed into the search box: a filter for the grid, a place to go to, or a text that means neither, with the
 * reason.
 */
export type SearchRequest =
  | { kind: 'none' }
  | { kind: 'filter'; filter: Filter; words: string }
  | { kind: 'offset'; offset: string; words: string }
  | { kind: 'problem'; message: string };

/**
 * Reads the search box. A decimal number is an id, `0x…` an offset, what begins with `$` a path, `hex:` bytes; everything else is
 * text. Quotes around it, or `text:` before it, make text of anything, so that a number can be searched for inside payloads.
 */
export function parseSearch(typed: string): SearchRequest {
  const text = typed.trim();
  if (text === '') return { kind: 'none' };

  const named = /^(id|offset|text|hex|bytes|path):\s*([\s\S]*)$/i.exec(text);
  if (named) {
    const value = named[2]!;
    switch (named[1]!.toLowerCase()) {
      case 'id':
        return idFilter(value);
      case 'offset':
        return offsetTarget(value);
      case 'text':
        return textFilter(value);
      case 'path':
        return pathFilter(value);
      default:
        return bytesFilter(value);
    }
  }
  if (/^"[\s\S]*"$/.test(text) && text.length > 2) return textFilter(text.slice(1, -1));
  if (/^0x/i.test(text)) return offsetTarget(text);
  if (/^\$/.test(text)) return pathFilter(text);
  if (/^[0-9]+$/.test(text)) return idFilter(text);
  return textFilter(text);
}

/** What "Go to" takes: an id, or an offset as `0x…`. */
export function parseTarget(
  typed: string,
): { by: 'id'; id: string } | { by: 'offset'; offset: string } | { problem: string } {
  const text = typed.trim();
  if (/^0x/i.test(text)) {
    const request = offsetTarget(text);
    return request.kind === 'offset' ? { by: 'offset', offset: request.offset } : { problem: problemOf(request) };
  }
  const request = idFilter(text);
  return request.kind === 'filter' ? { by: 'id', id: request.filter.id! } : { problem: problemOf(request) };
}

function problemOf(request: SearchRequest): string {
  return request.kind === 'problem' ? request.message : 'Type an id, or an offset as 0x1A2B.';
}

function idFilter(value: string): SearchRequest {
  const id = parseU64(value.replace(/^0+(?=\d)/, ''));
  if (id === null) {
    return {
      kind: 'problem',
      message: `An id is a whole number from 0 to 18446744073709551615. To find "${value}" in payloads, put it in quotes.`,
    };
  }
  return { kind: 'filter', filter: { id: id.toString() }, words: `id ${id}` };
}

function offsetTarget(value: string): SearchRequest {
  if (!/^(0x[0-9a-f]{1,16}|[0-9]{1,20})$/i.test(value)) {
    return { kind: 'problem', message: 'An offset is hexadecimal digits after 0x, for example 0x1A2B.' };
  }
  const offset = BigInt(value);
  if (offset > 0xffff_ffff_ffff_ffffn) return { kind: 'problem', message: 'No file has an offset as high as this.' };
  return { kind: 'offset', offset: offset.toString(), words: `offset 0x${offset.toString(16).toUpperCase()}` };
}

function textFilter(value: string): SearchRequest {
  if (value === '') return { kind: 'none' };
  if (value.length > 4096) return { kind: 'problem', message: 'A text to search for is at most 4096 characters long.' };
  return { kind: 'filter', filter: { text: value }, words: `text "${value}"` };
}

function bytesFilter(value: string): SearchRequest {
  const digits = value.replace(/[\s,]|0x/gi, '');
  if (!/^([0-9a-f]{2}){1,2048}$/i.test(digits)) {
    return { kind: 'problem', message: 'Bytes are pairs of hexadecimal digits, for example hex: C3 28.' };
  }
  return { kind: 'filter', filter: { bytes: digits.toLowerCase() }, words: `bytes ${digits.toUpperCase()}` };
}

function pathFilter(value: string): SearchRequest {
  if (!value.startsWith('$')) {
    return { kind: 'problem', message: 'A path begins with $, for example $.title = "Köln".' };
  }
  if (!/(=|!=|<|>|\bcontains\b|\bexists\b)/.test(value)) {
    return {
      kind: 'problem',
      message: 'Say what the path is compared with: $.a.b = 1, or != < <= > >= contains; or $.a exists.',
    };
  }
  return { kind: 'filter', filter: { path: value }, words: value };
}
