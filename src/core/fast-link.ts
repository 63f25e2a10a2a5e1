import { NO_ROW, RUN_BITS } from './row-index.ts';
import { APPLIED, CHAINED, LINKING, STATE_MASK, StateCode } from './row-info.ts';
import {
  add,
  and,
  assembleModule,
  block,
  type Code,
  constant,
  equal,
  get,
  giveBack,
  greaterUnsigned,
  I32,
  leave,
  leaveIf,
  lessUnsigned,
  load8,
  load32,
  loop,
  multiply,
  notEqual,
  or,
  sequence,
  set,
  shiftLeft,
  shiftRightUnsigned,
  store8,
  store32,
  subtract,
  type Variable,
  when,
  xor,
} from './wasm/assembler.ts';
import { PAGE, type WebAssemblyRuntime, webAssembly } from './wasm/runtime.ts';

/*
 * Linking in WebAssembly, row after row, as link-rows.ts says it in plain words. A random id costs half a dozen reads far apart in
 * memory, and the processor hides most of that time by running ahead; the bounds checks and conversions of JavaScript leave it too
 * little room (measured: 60 % of the time for logs of small records).
 */

const RUN = 1 << RUN_BITS;
const MOST_PAGES = 65_536;
/** The table `LINKING` lies at the beginning of the memory, the columns behind it. */
const COLUMNS = 1024;
const ALIGNMENT = 64;
/** Rows whose columns stay in the first cache from one pass to the next. */
const AT_ONCE = 1024;

const PARAMETERS = 15;
const LOCALS = 15;
const variables = Array.from({ length: PARAMETERS + LOCALS }, (_, index): Variable => ({ index }));
const [from, to, seed, mask, capacity] = variables as [Variable, Variable, Variable, Variable, Variable];
/** Where the columns are, in the order in which `allocateColumns` asks for them. */
const [idLow, idHigh, previous, ordinals, direct, heads, counts, info, states, tags] = variables.slice(5) as [
  ...Four,
  ...Four,
  Variable,
  Variable,
];
const [row, linking, low, high, seeded, hash, tag, slot, found, before, older, fresh, freshHashed, next, head] =
  variables.slice(PARAMETERS) as [...Four, ...Four, ...Four, Variable, Variable, Variable];
type Four = [Variable, Variable, Variable, Variable];

/** Address of a row's or slot's word. */
const word = (base: Variable, index: Code): Code => add(get(base), shiftLeft(index, constant(2)));
const byte = (base: Variable, index: Code): Code => add(get(base), index);
const mix = (shift: number, factor: number): Code =>
  set(hash, multiply(xor(get(hash), shiftRightUnsigned(get(hash), constant(shift))), constant(factor)));

/** Sets `hash` as `hashOfRun` and `hashU64` do. */
const hashId = sequence(
  set(
    hash,
    xor(
      multiply(
        or(shiftRightUnsigned(get(seeded), constant(RUN_BITS)), shiftLeft(get(high), constant(32 - RUN_BITS))),
        constant(0x9e37_79b1),
      ),
      multiply(xor(shiftRightUnsigned(get(high), constant(RUN_BITS)), constant(0x85eb_ca6b)), constant(0xc2b2_ae35)),
    ),
  ),
  mix(16, 0x85eb_ca6b),
  mix(13, 0xc2b2_ae35),
  set(hash, xor(get(hash), shiftRightUnsigned(get(hash), constant(16)))),
);

/** Makes the row the newest of an id that is looked up directly; `before` is the one before it, or NO_ROW. */
const putDirect = sequence(
  set(before, load32(word(direct, get(low)))),
  when(equal(get(before), constant(NO_ROW)), set(fresh, add(get(fresh), constant(1)))),
  store32(word(direct, get(low)), add(get(row), constant(1))),
);

/** Finds the slot of an id: `before` is the newest row there, or NO_ROW and the slot is taken for it. */
const probe = block(
  loop(
    set(found, load8(byte(tags, get(slot)))),
    when(
      equal(get(found), constant(0)),
      sequence(
        store8(byte(tags, get(slot)), get(tag)),
        set(fresh, add(get(fresh), constant(1))),
        set(freshHashed, add(get(freshHashed), constant(1))),
        leave(2),
      ),
    ),
    when(
      equal(get(found), get(tag)),
      sequence(
        set(head, load32(word(heads, get(slot)))),
        set(next, subtract(get(head), constant(1))),
        when(
          equal(load32(word(idLow, get(next))), get(low)),
          when(equal(load32(word(idHigh, get(next))), get(high)), sequence(set(before, get(head)), leave(4))),
        ),
      ),
    ),
    set(slot, add(get(slot), constant(RUN))),
    when(greaterUnsigned(get(slot), get(mask)), set(slot, and(add(get(slot), constant(1)), constant(RUN - 1)))),
    leave(0),
  ),
);

/** The record before that counted is superseded; damaged ones between are passed over. */
const supersede = sequence(
  set(older, get(before)),
  block(
    loop(
      leaveIf(equal(get(older), constant(NO_ROW)), 1),
      set(older, subtract(get(older), constant(1))),
      set(found, load8(byte(states, get(older)))),
      when(
        equal(get(found), constant(StateCode.damaged)),
        sequence(set(older, load32(word(previous, get(older)))), leave(1)),
      ),
      when(
        equal(get(found), constant(StateCode.live)),
        store8(byte(states, get(older)), constant(StateCode.superseded)),
      ),
    ),
  ),
);

/** The same for an id that is kept in slots; its hash is in `previous`. */
const putHashed = sequence(
  set(seeded, xor(get(low), get(seed))),
  set(hash, load32(word(previous, get(row)))),
  set(tag, shiftRightUnsigned(get(hash), constant(24))),
  when(equal(get(tag), constant(0)), set(tag, constant(1))),
  set(slot, and(or(and(get(hash), constant(-RUN)), and(xor(get(hash), get(seeded)), constant(RUN - 1))), get(mask))),
  set(before, constant(NO_ROW)),
  probe,
  store32(word(heads, get(slot)), add(get(row), constant(1))),
);

const isDirect = and(equal(get(high), constant(0)), lessUnsigned(get(low), get(capacity)));
const loadId = sequence(set(low, load32(word(idLow, get(row)))), set(high, load32(word(idHigh, get(row)))));
const loadLinking = set(linking, load8(load8(byte(info, get(row)))));
const isChained = notEqual(and(get(linking), constant(CHAINED)), constant(0));

const forEachRow = (...body: Code[]): Code =>
  sequence(
    set(row, get(from)),
    block(loop(leaveIf(equal(get(row), get(to)), 1), ...body, set(row, add(get(row), constant(1))), leave(0))),
  );

/**
 * link(from, to, seed, mask, capacity, …where the columns are): links the rows [from, to) and returns how many ids are new. In three
 * passes, because the fewer instructions a row takes, the more rows' reads the processor has under way at once.
 */
const link = sequence(
  forEachRow(
    loadId,
    when(
      isDirect,
      [],
      sequence(set(seeded, xor(get(low), get(seed))), hashId, store32(word(previous, get(row)), get(hash))),
    ),
  ),
  forEachRow(
    loadLinking,
    set(before, constant(NO_ROW)),
    when(isChained, sequence(loadId, when(isDirect, putDirect, putHashed))),
    store32(word(previous, get(row)), get(before)),
  ),
  forEachRow(
    loadLinking,
    store8(byte(states, get(row)), and(get(linking), constant(STATE_MASK))),
    set(before, load32(word(previous, get(row)))),
    when(
      equal(get(before), constant(NO_ROW)),
      store32(word(ordinals, get(row)), isChained),
      store32(word(ordinals, get(row)), add(load32(word(ordinals, subtract(get(before), constant(1)))), constant(1))),
    ),
    when(notEqual(and(get(linking), constant(APPLIED)), constant(0)), supersede),
  ),
  store32(get(counts), add(load32(get(counts)), get(fresh))),
  store32(get(counts), add(load32(get(counts), 4), get(freshHashed)), 4),
  giveBack(get(fresh)),
);

type Link = (from: number, to: number, seed: number, mask: number, capacity: number, ...places: number[]) => number;

interface LinkExports {
  link: Link;
}

let compiled: object | null = null;

function compile(runtime: WebAssemblyRuntime<LinkExports>): object {
  compiled ??= new runtime.Module(
    assembleModule(
      [],
      [
        {
          name: 'link',
          parameters: new Array(PARAMETERS).fill(I32),
          result: I32,
          locals: new Array(LOCALS).fill(I32),
          body: link,
        },
      ],
    ),
  );
  return compiled;
}

/** The routine over a memory of its own. */
export interface FastLinker {
  readonly buffer: ArrayBuffer;
  /** Where in the buffer each of the areas asked for begins, in bytes, aligned for words. */
  readonly places: readonly number[];
  /** As `linkRows`, over the columns at the first `places`, which were asked for in the order that `allocateColumns` has. */
  link(from: number, to: number, seed: number, mask: number, capacity: number): void;
}

/**
 * A memory with room for areas of these sizes (bytes), all zero, and the routine over it; null where there is no WebAssembly, it is
 * forbidden, or the areas do not fit into the 4 GiB it can address (some 140 million rows).
 */
export function fastLinkerFor(sizes: readonly number[]): FastLinker | null {
  const runtime = webAssembly<LinkExports>();
  if (!runtime) return null;
  let end = COLUMNS;
  const places = sizes.map((size) => {
    const place = end;
    end = Math.ceil((end + size) / ALIGNMENT) * ALIGNMENT;
    return place;
  });
  const pages = Math.ceil(end / PAGE);
  if (pages > MOST_PAGES) return null;
  try {
    const memory = new runtime.Memory({ initial: pages });
    const { exports } = new runtime.Instance(compile(runtime), { env: { memory } });
    new Uint8Array(memory.buffer, 0, LINKING.length).set(LINKING);
    const linked = places.slice(0, PARAMETERS - 5);
    return {
      buffer: memory.buffer,
      places,
      link: (from, to, seed, mask, capacity) => {
        for (let start = from; start < to; start += AT_ONCE) {
          exports.link(start, Math.min(to, start + AT_ONCE), seed, mask, capacity, ...linked);
        }
      },
    };
  } catch {
    // The plain loop gives the same answer, only later.
    return null;
  }
}
