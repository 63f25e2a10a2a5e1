import {
  CRC_DELETE_SIZE,
  CRC_SIZE,
  CRC_STORE_OVERHEAD,
  LENGTH_FIELD_OFFSET,
  Marker,
  STORE_HEADER_SIZE,
} from './record.ts';
import {
  add,
  and,
  assembleModule,
  bitmask8,
  block,
  type Code,
  call,
  constant,
  countTrailingZeros,
  equal,
  equal8,
  get,
  giveBack,
  greaterUnsigned,
  I32,
  leave,
  leaveIf,
  lessSigned8,
  lessUnsigned,
  load8,
  load32,
  loadV128,
  loop,
  notEqual,
  or,
  orV128,
  sequence,
  set,
  shiftLeft,
  shiftRightUnsigned,
  splat8,
  store8,
  subtract,
  V128,
  type Variable,
  when,
} from './wasm/assembler.ts';
import { PAGE, type WebAssemblyRuntime, webAssembly } from './wasm/runtime.ts';

/*
 * The inner loop of the payload check in WebAssembly: record after record, as long as the payloads are what VelesDB itself writes. That
 * is compact JSON, and of it all but what is rare: no white space, `\u` escapes or exponents, few levels, no endless numbers. Such a
 * payload both of VelesDB's JSON readers read. About any other nothing is said: the walk stops there, and `json/accept.ts` judges. So
 * this may refuse what it likes, and must never accept what that one would not; a test holds the two against each other.
 *
 * Strings are most of the text, and are passed sixteen bytes at a time. A zero is put behind each payload, in place of its CRC, which
 * has been checked: it ends strings, numbers and words, so that no byte has to be compared with the end.
 */

/** How much of a log is in memory at once. */
export const PAYLOAD_BLOCK = 1 << 18;
/** Open containers are a bit each, of 32. */
const MOST_OPEN = 31;
/** Longer ones might be out of a double's range. */
const LONGEST_NUMBER = 300;

// Tables by byte: may it follow a backslash; of a character that begins so the length, the least second byte, and how many there are.
const ESCAPED = 0;
const LENGTH = 256;
const LEAST_SECOND = 512;
const SECONDS = 768;
const INPUT = 1024;

const variables = (count: number): Variable[] => Array.from({ length: count }, (_, index) => ({ index }));
const [at, mask, lead, vector] = variables(4) as [Variable, Variable, Variable, Variable];
const isCharacter = (byte: string): Code => equal(load8(get(at)), constant(byte.charCodeAt(0)));
const step = (from: Variable, by = 1): Code => set(from, add(get(from), constant(by)));

/** string(at): from behind the opening quote to behind the closing one; 0 for anything but a plain, well-formed string. */
const string = sequence(
  loop(
    set(vector, loadV128(get(at))),
    // Signed, bytes from 0x80 on are less than those from 0 on: one comparison finds them and the control characters.
    set(
      mask,
      bitmask8(
        orV128(
          lessSigned8(get(vector), splat8(constant(0x20))),
          orV128(
            equal8(get(vector), splat8(constant('"'.charCodeAt(0)))),
            equal8(get(vector), splat8(constant('\\'.charCodeAt(0)))),
          ),
        ),
      ),
    ),
    when(equal(get(mask), constant(0)), sequence(step(at, 16), leave(1))),
    set(at, add(get(at), countTrailingZeros(get(mask)))),
    when(isCharacter('"'), giveBack(add(get(at), constant(1)))),
    when(
      isCharacter('\\'),
      sequence(
        when(equal(load8(load8(get(at), 1), ESCAPED), constant(0)), giveBack(constant(0))),
        step(at, 2),
        leave(1),
      ),
    ),
    // A character of two to four bytes (Unicode table 3-7); the length of all else that comes here is 0.
    set(lead, load8(get(at))),
    set(mask, load8(get(lead), LENGTH)),
    when(lessUnsigned(get(mask), constant(2)), giveBack(constant(0))),
    when(
      greaterUnsigned(subtract(load8(get(at), 1), load8(get(lead), LEAST_SECOND)), load8(get(lead), SECONDS)),
      giveBack(constant(0)),
    ),
    ...[2, 3].map((place) =>
      when(
        greaterUnsigned(get(mask), constant(place)),
        when(notEqual(and(load8(get(at), place), constant(0xc0)), constant(0x80)), giveBack(constant(0))),
      ),
    ),
    set(at, add(get(at), get(mask))),
    leave(0),
  ),
  constant(0),
);

const STRING = 0;
const [position, end, cursor, stop, byte, open, depth, key, start, first] = variables(10) as [
  Variable,
  Variable,
  Variable,
  Variable,
  Variable,
  Variable,
  Variable,
  Variable,
  Variable,
  Variable,
];
const here = load8(get(cursor));
const word = (text: string): number => [...text].reduceRight((sum, letter) => (sum << 8) | letter.charCodeAt(0), 0);
const digits: Code = block(
  loop(leaveIf(greaterUnsigned(subtract(here, constant(0x30)), constant(9)), 1), step(cursor), leave(0)),
);

/**
 * walk(position, end): goes on from record to record as long as they are whole before `end` and their payloads accepted, and returns
 * where it stopped.
 */
const walk = sequence(
  block(
    // From the blocks inside, leaving this one means: not accepted.
    loop(
      leaveIf(lessUnsigned(get(end), add(get(position), constant(CRC_DELETE_SIZE))), 1),
      when(
        equal(load8(get(position)), constant(Marker.crcDelete)),
        sequence(step(position, CRC_DELETE_SIZE), leave(1)),
      ),
      leaveIf(notEqual(load8(get(position)), constant(Marker.crcStore)), 1),
      leaveIf(lessUnsigned(get(end), add(get(position), constant(CRC_STORE_OVERHEAD))), 1),
      set(stop, load32(get(position), LENGTH_FIELD_OFFSET)),
      leaveIf(greaterUnsigned(get(stop), subtract(subtract(get(end), get(position)), constant(CRC_STORE_OVERHEAD))), 1),
      set(cursor, add(get(position), constant(STORE_HEADER_SIZE))),
      set(stop, add(get(cursor), get(stop))),
      store8(get(stop), constant(0)),
      set(depth, constant(0)),
      set(open, constant(0)),
      set(key, constant(0)),
      loop(
        // A value starts here, or a key and then its value.
        when(
          get(key),
          sequence(
            leaveIf(notEqual(here, constant(0x22)), 3),
            set(cursor, call(STRING, add(get(cursor), constant(1)))),
            leaveIf(equal(get(cursor), constant(0)), 3),
            leaveIf(notEqual(here, constant(0x3a)), 3),
            step(cursor),
            set(key, constant(0)),
          ),
        ),
        block(
          // Left when a value has ended, or an empty container is about to.
          set(byte, here),
          when(
            equal(get(byte), constant(0x22)),
            sequence(
              set(cursor, call(STRING, add(get(cursor), constant(1)))),
              leaveIf(equal(get(cursor), constant(0)), 4),
              leave(1),
            ),
          ),
          when(
            equal(or(get(byte), constant(0x20)), constant(0x7b)),
            sequence(
              leaveIf(equal(get(depth), constant(MOST_OPEN)), 4),
              step(depth),
              set(key, equal(get(byte), constant(0x7b))),
              set(open, or(shiftLeft(get(open), constant(1)), get(key))),
              step(cursor),
              // `}` is `{` + 2, `]` is `[` + 2.
              leaveIf(equal(here, add(get(byte), constant(2))), 1),
              leave(2),
            ),
          ),
          when(
            lessUnsigned(subtract(get(byte), constant(0x2d)), constant(0x3a - 0x2d)),
            sequence(
              set(start, get(cursor)),
              when(equal(get(byte), constant(0x2d)), step(cursor)),
              set(first, get(cursor)),
              when(equal(here, constant(0x30)), step(cursor), digits),
              leaveIf(equal(get(cursor), get(first)), 4),
              when(
                equal(here, constant(0x2e)),
                sequence(step(cursor), set(first, get(cursor)), digits, leaveIf(equal(get(cursor), get(first)), 5)),
              ),
              leaveIf(greaterUnsigned(subtract(get(cursor), get(start)), constant(LONGEST_NUMBER)), 4),
              leave(1),
            ),
          ),
          set(start, load32(get(cursor))),
          set(cursor, add(get(cursor), constant(4))),
          leaveIf(equal(get(start), constant(word('true'))), 0),
          leaveIf(equal(get(start), constant(word('null'))), 0),
          leaveIf(notEqual(get(start), constant(word('fals'))), 3),
          leaveIf(notEqual(here, constant(0x65)), 3),
          step(cursor),
        ),
        set(key, constant(0)),
        loop(
          // Behind a value: on to the next, or out of as many containers as end here.
          when(
            equal(get(depth), constant(0)),
            sequence(
              leaveIf(notEqual(get(cursor), get(stop)), 4),
              set(position, add(get(stop), constant(CRC_SIZE))),
              leave(3),
            ),
          ),
          set(byte, here),
          step(cursor),
          when(equal(get(byte), constant(0x2c)), sequence(set(key, and(get(open), constant(1))), leave(2))),
          leaveIf(notEqual(get(byte), add(constant(0x5d), shiftLeft(and(get(open), constant(1)), constant(5)))), 3),
          set(open, shiftRightUnsigned(get(open), constant(1))),
          set(depth, subtract(get(depth), constant(1))),
          leave(0),
        ),
      ),
    ),
  ),
  giveBack(get(position)),
);

interface WalkExports {
  walk(position: number, end: number): number;
}

/** Walks blocks of a log. The caller puts bytes into `input` and calls `walk`. */
export interface PayloadWalker {
  /** Where the bytes of a block go: PAYLOAD_BLOCK of them at most. What stands behind a payload is overwritten. */
  readonly input: Uint8Array;
  /**
   * Goes on from the record at input[from] as long as records are whole before input[end] and their payloads are such as both of
   * VelesDB's JSON readers read; returns where it stopped. What stands there has to be judged by other means.
   */
  walk(from: number, end: number): number;
}

let ofThread: PayloadWalker | null = null;

/**
 * The thread's walker; one that accepts nothing where the runtime has no WebAssembly with SIMD or a content security policy forbids
 * it. One serves all checks of a thread: nothing is kept in it while they let other work in between.
 */
export function payloadWalker(): PayloadWalker {
  const runtime = webAssembly<WalkExports>();
  try {
    if (runtime) ofThread ??= createWalker(runtime);
  } catch {
    // The plain check gives the same answer, only later.
  }
  ofThread ??= { input: new Uint8Array(PAYLOAD_BLOCK), walk: (from) => from };
  return ofThread;
}

function createWalker(runtime: WebAssemblyRuntime<WalkExports>): PayloadWalker {
  // A string is looked at up to sixteen bytes behind its end.
  const memory = new runtime.Memory({ initial: Math.ceil((INPUT + PAYLOAD_BLOCK + 32) / PAGE) });
  const module = new runtime.Module(
    assembleModule(
      [],
      [
        { name: 'string', parameters: [I32], result: I32, locals: [I32, I32, V128], body: string },
        { name: 'walk', parameters: [I32, I32], result: I32, locals: new Array(8).fill(I32), body: walk },
      ],
    ),
  );
  const { exports } = new runtime.Instance(module, { env: { memory } });
  const bytes = new Uint8Array(memory.buffer);
  for (const escaped of '"\\/bfnrt') bytes[ESCAPED + escaped.charCodeAt(0)] = 1;
  for (let lead = 0xc2; lead <= 0xf4; lead++) {
    bytes[LENGTH + lead] = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    const least = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
    const most = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
    bytes[LEAST_SECOND + lead] = least;
    bytes[SECONDS + lead] = most - least;
  }
  return {
    input: bytes.subarray(INPUT, INPUT + PAYLOAD_BLOCK),
    walk: (from, end) => exports.walk(INPUT + from, INPUT + end) - INPUT,
  };
}
