import { canonicalize } from '../../core/json/canonicalize.ts';
import { checkPayload } from '../../core/json/check.ts';
import { parseU64 } from '../../core/u64.ts';
import { type ErrorCode, VelescopeError } from '../../shared/errors.ts';
import type { Operation } from '../engine/log-payload-storage.ts';

/** What one line of `batch` asks for. */
export type LineOperation = { type: 'write'; operations: Operation[] } | { type: 'snapshot' } | { type: 'flush' };

/** A line's limit: positions in it are 31-bit. */
export const LINE_LIMIT = 2 ** 31 - 1;

/**
 * Reads one line of `batch` (docs/contract.md, "Command line"). The text of a payload is cut from the line by position: nothing parses and
 * prints it again, unless `canonical` asks for what VelesDB would print. Payloads are views into `line` where it does not.
 *
 * Throws BAD_REQUEST where the line is not the JSON of an operation, INVALID_ID, and PAYLOAD_REFUSED for text that VelesDB would not read.
 */
export function readOperation(line: Uint8Array, canonical: boolean): LineOperation {
  const object = new Skimmer(line).wholeObject();
  if (object === null) throw notJson(line);
  const members = membersOf(line, object);
  const op = members.has('op') ? textOf(line, members.get('op')!, 'op') : 'store';
  const expected = MEMBERS[op];
  if (expected === undefined) throw refusal('BAD_REQUEST', `there is no operation ${JSON.stringify(op)}`);
  for (const key of members.keys()) {
    if (key === 'op' || expected.includes(key)) continue;
    if (key === 'error') {
      throw refusal('BAD_REQUEST', 'the record could not be read when it was dumped, so there is nothing to store');
    }
    if (key === 'collection') {
      throw refusal('BAD_REQUEST', 'the line belongs to a collection of its own; dump one collection at a time');
    }
    throw refusal('BAD_REQUEST', `${op} takes no ${JSON.stringify(key)}`);
  }
  for (const key of expected) {
    if (!members.has(key)) throw refusal('BAD_REQUEST', `${op} needs ${JSON.stringify(key)}`);
  }
  switch (op) {
    case 'store': {
      const id = idOf(line, members.get('id')!);
      return {
        type: 'write',
        operations: [{ type: 'store', id, payload: payloadOf(line, members.get('payload')!, canonical) }],
      };
    }
    case 'delete':
      return { type: 'write', operations: [{ type: 'delete', id: idOf(line, members.get('id')!) }] };
    case 'batch':
      return { type: 'write', operations: entriesOf(line, members.get('entries')!, canonical) };
    default:
      return { type: op as 'snapshot' | 'flush' };
  }
}

const MEMBERS: Readonly<Record<string, readonly string[] | undefined>> = Object.assign(Object.create(null), {
  store: ['id', 'payload'],
  delete: ['id'],
  batch: ['entries'],
  snapshot: [],
  flush: [],
});

/** Bytes [start, end) of the line: one value, as far as brackets and quotes tell. */
interface Extent {
  start: number;
  end: number;
}

interface Member extends Extent {
  key: Extent;
}

function refusal(code: ErrorCode, message: string): VelescopeError {
  return new VelescopeError(code, message);
}

function notJson(line: Uint8Array): VelescopeError {
  const check = checkPayload(line);
  const why = check.state === 'ok' ? 'it is not an object' : check.message;
  return refusal('BAD_REQUEST', `the line is not a JSON object: ${why}`);
}

function membersOf(line: Uint8Array, members: Member[]): Map<string, Extent> {
  const byKey = new Map<string, Extent>();
  for (const { key, start, end } of members) {
    const name = textOf(line, key, 'a key');
    // Which of two would be meant is anybody's guess.
    if (byKey.has(name)) throw refusal('BAD_REQUEST', `${JSON.stringify(name)} stands twice in the line`);
    byKey.set(name, { start, end });
  }
  return byKey;
}

/** The string at an extent. It is short: an id, a key, the name of an operation. */
function textOf(line: Uint8Array, { start, end }: Extent, name: string): string {
  const check = checkPayload(line, start, end);
  if (check.state !== 'ok') throw refusal('BAD_REQUEST', `${name} is not a JSON string: ${check.message}`);
  const value: unknown = JSON.parse(new TextDecoder().decode(line.subarray(start, end)));
  if (typeof value !== 'string') throw refusal('BAD_REQUEST', `${name} is not a string`);
  return value;
}

function idOf(line: Uint8Array, extent: Extent): bigint {
  const first = line[extent.start]!;
  if (first !== QUOTE) throw refusal('INVALID_ID', 'an id is a decimal number in a string, like "1"');
  const text = textOf(line, extent, 'id');
  const id = parseU64(text);
  if (id === null) {
    throw refusal(
      'INVALID_ID',
      `an id is a whole number from 0 to 18446744073709551615; found ${JSON.stringify(text.slice(0, 64))}`,
    );
  }
  return id;
}

function payloadOf(line: Uint8Array, { start, end }: Extent, canonical: boolean): Uint8Array {
  const text = line.subarray(start, end);
  const check = checkPayload(text);
  if (check.state === 'not-json') throw refusal('BAD_REQUEST', `the payload is not JSON: ${check.message}`);
  if (check.state === 'unreadable') {
    throw refusal('PAYLOAD_REFUSED', `VelesDB could not read this payload back: ${check.message}`);
  }
  if (!canonical) return text;
  const printed = canonicalize(text);
  if (!printed.ok) throw refusal('PAYLOAD_REFUSED', printed.check.message);
  return printed.bytes;
}

function entriesOf(line: Uint8Array, extent: Extent, canonical: boolean): Operation[] {
  const shape = () => refusal('BAD_REQUEST', 'entries is a list of pairs, like [["1",{}],["2",null]]');
  const entries = new Skimmer(line, extent).wholeArray();
  if (entries === null) throw shape();
  return entries.map((entry, index) => {
    const pair = new Skimmer(line, entry).wholeArray();
    if (pair === null || pair.length !== 2) throw shape();
    try {
      return { type: 'store', id: idOf(line, pair[0]!), payload: payloadOf(line, pair[1]!, canonical) };
    } catch (thrown) {
      // The line alone says little where it holds a thousand of them.
      if (thrown instanceof VelescopeError) throw refusal(thrown.code, `entry ${index + 1}: ${thrown.message}`);
      throw thrown;
    }
  });
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;

/**
 * Finds where the values of one object or array begin and end, by brackets and quotes alone; what is inside them is judged by those
 * who take them. A parser would build the whole payload only for its two ends to be used.
 */
class Skimmer {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;

  constructor(bytes: Uint8Array, extent: Extent = { start: 0, end: bytes.length }) {
    this.#bytes = bytes;
    this.#at = extent.start;
    this.#end = extent.end;
  }

  /** The members of the object that fills the extent, white space apart; null where there is none. */
  wholeObject(): Member[] | null {
    return this.#whole(0x7b, 0x7d, () => {
      const key = this.#value();
      if (key === null || this.#bytes[key.start] !== QUOTE || !this.#take(COLON)) return null;
      const value = this.#value();
      return value && { key, ...value };
    });
  }

  /** The elements of the array that fills the extent; null where there is none. */
  wholeArray(): Extent[] | null {
    return this.#whole(0x5b, 0x5d, () => this.#value());
  }

  #whole<Item>(open: number, close: number, readItem: () => Item | null): Item[] | null {
    if (!this.#take(open)) return null;
    const items: Item[] = [];
    if (!this.#take(close)) {
      do {
        const item = readItem();
        if (item === null) return null;
        items.push(item);
      } while (this.#take(COMMA));
      if (!this.#take(close)) return null;
    }
    this.#skipSpace();
    return this.#at === this.#end ? items : null;
  }

  #skipSpace(): void {
    while (this.#at < this.#end && isSpace(this.#bytes[this.#at]!)) this.#at++;
  }

  #take(byte: number): boolean {
    this.#skipSpace();
    if (this.#at >= this.#end || this.#bytes[this.#at] !== byte) return false;
    this.#at++;
    return true;
  }

  #value(): Extent | null {
    this.#skipSpace();
    const bytes = this.#bytes;
    const start = this.#at;
    let depth = 0;
    while (this.#at < this.#end) {
      const byte = bytes[this.#at]!;
      if (byte === QUOTE) {
        if (!this.#skipString()) return null;
      } else if (byte === 0x7b || byte === 0x5b) {
        depth++;
        this.#at++;
      } else if (byte === 0x7d || byte === 0x5d) {
        if (depth === 0) break;
        depth--;
        this.#at++;
      } else if (depth === 0 && (byte === COMMA || byte === COLON || isSpace(byte))) {
        break;
      } else {
        this.#at++;
        continue;
      }
      // A string or a container ends by itself; a number or a word ends where something else begins.
      if (depth === 0) break;
    }
    return depth === 0 && this.#at > start ? { start, end: this.#at } : null;
  }

  #skipString(): boolean {
    const bytes = this.#bytes;
    for (this.#at++; this.#at < this.#end; this.#at++) {
      const byte = bytes[this.#at]!;
      if (byte === BACKSLASH) this.#at++;
      else if (byte === QUOTE) {
        this.#at++;
        return true;
      }
    }
    return false;
  }
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}
