import { DEFAULT_GENERATION } from '../../core/generation.ts';
import { LogBuilder } from '../../core/log-builder.fixture.ts';
import { VelescopeError } from '../../shared/errors.ts';
import { type Call, type CallKind, type Fault, FaultyFiles } from './faulty-files.ts';
import { statusOrNull } from './files.ts';
import { LogPayloadStorage, type Operation } from './log-payload-storage.ts';
import type { Durability } from './log-writer.ts';
import { MemoryFiles } from './memory-files.ts';

/**
 * Every call the engine makes of its files × every fault it can have × every state the disk may be in were the power to go
 * at any moment from then on. After each: the collection opens for reading, for writing after at most a trim of its tail,
 * and holds every operation that was acknowledged in `fsync` mode, and of the one in flight at most a prefix.
 */
export interface FaultCase {
  readonly scenario: string;
  /** The call that fails: its number, kind and file. */
  readonly site: string;
  readonly fault: string;
  /** How the operations that met the fault ended: `saved`, or the codes they failed with. */
  readonly outcome: string;
  /** Different disk states looked at. */
  readonly states: number;
  /** What was lost or would not open, in words. Has to be empty. */
  readonly losses: string[];
}

const ROOT = '/root';
const DIRECTORY = `${ROOT}/c`;
const LOG = `${DIRECTORY}/payloads.log`;
const SNAPSHOT = `${DIRECTORY}/payloads.snapshot`;

interface Scenario {
  readonly name: string;
  readonly durability: Durability;
  readonly before: () => MemoryFiles;
}

const SCENARIOS: readonly Scenario[] = [
  {
    name: 'a log and a snapshot, fsync',
    durability: 'fsync',
    before: () => {
      const log = new LogBuilder().store(1, '"one"').store(2, '"two"').delete(1).bytes();
      const files = emptyCollection();
      files.put(LOG, log);
      const storage = LogPayloadStorage.open(DIRECTORY, { files, writable: true, findHolder: () => null });
      storage.createSnapshot();
      storage.close();
      files.settle();
      return files;
    },
  },
  { name: 'no log yet, fsync', durability: 'fsync', before: emptyCollection },
  { name: 'no log yet, flush', durability: 'flush', before: emptyCollection },
  { name: 'no log yet, none', durability: 'none', before: emptyCollection },
];

function emptyCollection(): MemoryFiles {
  const files = new MemoryFiles();
  files.put(`${DIRECTORY}/config.json`, new TextEncoder().encode('{}'));
  files.settle();
  return files;
}

type Step = { type: 'apply'; operations: Operation[] } | { type: 'snapshot' } | { type: 'read'; id: bigint };

const store = (id: bigint, payload: string): Operation => ({ type: 'store', id, payload });
const STEPS: readonly Step[] = [
  { type: 'apply', operations: [store(3n, '"three"')] },
  { type: 'apply', operations: [store(4n, '4'), store(2n, '"two, again"'), store(5n, '[5]')] },
  { type: 'read', id: 2n },
  { type: 'apply', operations: [{ type: 'delete', id: 3n }] },
  { type: 'snapshot' },
  { type: 'apply', operations: [{ type: 'delete', id: 4n }, store(4n, '"four"'), { type: 'delete', id: 5n }] },
  { type: 'apply', operations: [store(6n, '"six"')] },
];
/** The last steps take the log far enough past the snapshot for an automatic one. */
const AUTOMATIC_SNAPSHOT_BYTES = 60;

type Contents = ReadonlyMap<bigint, string>;

/** What may be there: `acknowledged`, and a prefix of the operations in flight. */
interface Expectation {
  acknowledged: Contents;
  inFlight: readonly Operation[];
  /** Of a write that failed and could not be taken back: any of its records may turn up. */
  inDoubt: readonly Operation[];
}

const CHANGING: ReadonlySet<CallKind> = new Set([
  'append',
  'overwrite',
  'sync',
  'truncate',
  'rename',
  'unlink',
  'link',
  'copy',
  'syncDirectory',
  'open',
]);

/**
 * Runs the matrix; yields a line for every call site and fault. `everyNth` thins out the scenarios whose durability promises
 * nothing about the power: 1 leaves nothing out.
 */
export function* faultMatrix(everyNth = 1): Generator<FaultCase> {
  let number = 0;
  for (const scenario of SCENARIOS) {
    const seen = new Map<string, string | null>();
    const sound = run(scenario, () => null, 0, seen);
    yield { scenario: scenario.name, site: '(none)', fault: 'none', ...sound.result };
    for (const call of sound.calls) {
      for (const [fault, lasting] of faultsOf(call, sound.opened)) {
        if (scenario.durability !== 'fsync' && number++ % everyNth !== 0) continue;
        const faultFor = (made: Call) =>
          made.index === call.index || (lasting && made.index > call.index && made.kind === call.kind) ? fault : null;
        const { result } = run(scenario, faultFor, call.index, seen);
        const site = `${call.index} ${call.kind} ${call.path.replace(`${ROOT}/`, '')}`;
        yield { scenario: scenario.name, site, fault: nameOf(fault, lasting), ...result };
      }
    }
  }
}

/** The faults a call can have; the second of each pair says that all later calls of the kind have it too. */
function* faultsOf(call: Call, opened: number): Generator<[Fault, boolean]> {
  yield [{ type: 'error', code: 'EIO' }, false];
  yield [{ type: 'error', code: 'EIO' }, true];
  if (call.kind === 'append' || call.kind === 'overwrite' || call.kind === 'read') yield [{ type: 'short' }, false];
  // A bit that flips while the log is opened is a wrong answer about sound bytes, which nothing here can tell from damage.
  if ((call.kind === 'read' || call.kind === 'readWhole') && call.index >= opened) yield [{ type: 'flip' }, false];
  if (!CHANGING.has(call.kind)) return;
  yield [{ type: 'error', code: 'EIO', happened: true }, false];
  yield [{ type: 'error', code: 'ENOSPC' }, false];
  yield [{ type: 'error', code: 'ENOSPC' }, true];
}

function nameOf(fault: Fault, lasting: boolean): string {
  if (fault.type !== 'error') return fault.type;
  return `${fault.code}${fault.happened ? ', but it happened' : ''}${lasting ? ', from here on' : ''}`;
}

function run(
  scenario: Scenario,
  faultFor: (call: Call) => Fault | null,
  firstCall: number,
  seen: Map<string, string | null>,
): { calls: Call[]; opened: number; result: Pick<FaultCase, 'outcome' | 'states' | 'losses'> } {
  const memory = scenario.before();
  const losses: string[] = [];
  const codes = new Set<string>();
  let states = 0;
  const expected: Expectation = { acknowledged: contentsBefore(memory), inFlight: [], inDoubt: [] };
  let changed = true;

  const look = (moment: string) => {
    changed = false;
    const promised = scenario.durability === 'fsync' ? expected : null;
    const promise = promised === null ? '' : expectationKey(promised);
    let key = '';
    const isNew = (contents: ReadonlyMap<string, Uint8Array>) => {
      states++;
      key = `${keyOf(contents)}|${promise}`;
      const problem = seen.get(key);
      if (problem) losses.push(`power lost ${moment}: ${problem}`);
      return problem === undefined;
    };
    for (const state of memory.crashStates(isNew)) {
      const problem = problemOf(state, promised);
      seen.set(key, problem);
      if (problem !== null) losses.push(`power lost ${moment}: ${problem}`);
    }
    // The process killed, and the system not: everything written is there.
    if (scenario.durability === 'none') return;
    const problem = problemOf(copyOf(memory), expected);
    if (problem !== null) losses.push(`process killed ${moment}: ${problem}`);
  };
  const files = new FaultyFiles(memory, (call) => {
    if (call.index >= firstCall && changed) look(`before call ${call.index} ${call.kind}`);
    changed ||= CHANGING.has(call.kind);
    return faultFor(call);
  });
  let time = 0;
  const open = () =>
    LogPayloadStorage.open(DIRECTORY, {
      files,
      writable: true,
      durability: scenario.durability,
      findHolder: () => null,
      automaticSnapshotBytes: AUTOMATIC_SNAPSHOT_BYTES,
      onWarning: (warning) => codes.add(`warning ${warning.code}`),
      // Steadily on, so that what is looked at does not depend on the speed of the machine.
      clock: () => time++,
    });

  let storage = attempt(open, codes);
  const opened = files.calls.length;
  for (const step of STEPS) {
    if (storage === null || !storage.writable) {
      if (storage?.writingRefusal) codes.add(storage.writingRefusal.code);
      closeQuietly(storage, codes);
      storage = attempt(open, codes);
      if (storage?.writable && expected.inDoubt.length > 0) {
        // Turning writing on settled it, one way or the other.
        const found = contentsOf(storage);
        if (!isAllowed(found, expected)) losses.push(`reopening found ${textOf(found)}`);
        expected.acknowledged = found;
        expected.inDoubt = [];
      }
    }
    if (storage === null || !storage.writable) continue;
    const current = storage;
    if (step.type === 'apply') {
      expected.inFlight = step.operations;
      const state = attempt(() => current.apply(step.operations), codes);
      if (state !== null) expected.acknowledged = applied(expected.acknowledged, step.operations);
      expected.inFlight = [];
      if (state === null && !current.writable) expected.inDoubt = step.operations;
    } else if (step.type === 'snapshot') attempt(() => current.createSnapshot(), codes);
    else {
      const found = attempt(() => current.retrieve(step.id), codes);
      const text = found?.ok ? new TextDecoder().decode(found.payload) : null;
      if (found !== null && text !== expected.acknowledged.get(step.id)) losses.push(`read ${text} of id ${step.id}`);
    }
  }
  closeQuietly(storage, codes);
  look('at the end');
  const outcome = codes.size === 0 ? 'saved' : [...codes].sort().join(', ');
  return { calls: files.calls, opened, result: { outcome, states, losses: [...new Set(losses)] } };
}

function attempt<T>(action: () => T, codes: Set<string>): T | null {
  try {
    return action();
  } catch (thrown) {
    const code = (thrown as { code?: unknown }).code;
    codes.add(
      thrown instanceof VelescopeError || typeof code === 'string' ? String(code) : `FOREIGN ${String(thrown)}`,
    );
    return null;
  }
}

function closeQuietly(storage: LogPayloadStorage | null, codes: Set<string>): void {
  if (storage !== null) attempt(() => storage.close(), codes);
}

/** What is wrong with the state a disk was found in, or null. Without an expectation only opening is asked for. */
function problemOf(state: MemoryFiles, expected: Expectation | null): string | null {
  try {
    const salvage = LogPayloadStorage.open(DIRECTORY, { files: state, view: 'salvage' });
    const everything = contentsOf(salvage);
    salvage.close();
    if (expected !== null && !isAllowed(everything, expected)) return `salvage holds ${textOf(everything)}`;
    let storage = LogPayloadStorage.open(DIRECTORY, { files: state, writable: true, findHolder: () => null });
    if (expected !== null && !isAllowed(contentsOf(storage), expected)) {
      return `the default view holds ${textOf(contentsOf(storage))}`;
    }
    if (!storage.writable) {
      const trimmedAt = tailToTrim(storage.writingRefusal!);
      storage.close();
      if (trimmedAt === null) return `writing is refused: ${storage.writingRefusal!.message}`;
      state.put(LOG, state.readWhole(LOG).slice(0, trimmedAt));
      storage = LogPayloadStorage.open(DIRECTORY, { files: state, writable: true, findHolder: () => null });
      if (!storage.writable) return `writing is refused after trimming: ${storage.writingRefusal!.message}`;
      if (expected !== null && !isAllowed(contentsOf(storage), expected)) return 'trimming lost something';
    }
    storage.store(99n, '"still works"');
    storage.close();
    return null;
  } catch (thrown) {
    return `does not open: ${String(thrown)}`;
  }
}

/** Where the tail starts that has to be cut off before writing, or null where that would not do. */
function tailToTrim(refusal: VelescopeError): number | null {
  const obstacles = (refusal.data?.obstacles ?? []) as { kind: string; generation?: string; at?: number }[];
  if (obstacles.length === 0 || obstacles.some(({ kind }) => kind.startsWith('snapshot'))) return null;
  return obstacles.find(({ generation }) => generation === DEFAULT_GENERATION)?.at ?? null;
}

function isAllowed(found: Contents, { acknowledged, inFlight, inDoubt }: Expectation): boolean {
  const settled = new Map(acknowledged);
  for (const { id } of inDoubt) {
    const values = inDoubt.filter((operation) => operation.id === id).map(resultOf);
    if (values.includes(found.get(id))) {
      if (found.has(id)) settled.set(id, found.get(id)!);
      else settled.delete(id);
    }
  }
  for (let length = 0; length <= inFlight.length; length++) {
    if (textOf(found) === textOf(applied(settled, inFlight.slice(0, length)))) return true;
  }
  return false;
}

function resultOf(operation: Operation): string | undefined {
  return operation.type === 'store' ? String(operation.payload) : undefined;
}

function applied(contents: Contents, operations: readonly Operation[]): Contents {
  const result = new Map(contents);
  for (const operation of operations) {
    if (operation.type === 'store') result.set(operation.id, String(operation.payload));
    else result.delete(operation.id);
  }
  return result;
}

function contentsOf(storage: LogPayloadStorage): Contents {
  const contents = new Map<bigint, string>();
  for (const id of storage.ids()) {
    const found = storage.retrieve(id)!;
    contents.set(id, found.ok ? new TextDecoder().decode(found.payload) : `unreadable: ${found.error.message}`);
  }
  return contents;
}

function contentsBefore(files: MemoryFiles): Contents {
  const storage = LogPayloadStorage.open(DIRECTORY, { files });
  const contents = contentsOf(storage);
  storage.close();
  return contents;
}

function textOf(contents: Contents): string {
  return [...contents]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([id, text]) => `${id}=${text}`)
    .join(' ');
}

function expectationKey({ acknowledged, inFlight, inDoubt }: Expectation): string {
  const name = (operation: Operation) => `${operation.type}${operation.id}`;
  return `${textOf(acknowledged)}|${inFlight.map(name)}|${inDoubt.map(name)}`;
}

/** Everything of a state that an opening looks at. */
function keyOf(contents: ReadonlyMap<string, Uint8Array>): string {
  return [LOG, SNAPSHOT, `${SNAPSHOT}.tmp`]
    .map((path) => {
      const bytes = contents.get(path);
      return bytes === undefined ? '-' : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    })
    .join('|');
}

function copyOf(files: MemoryFiles): MemoryFiles {
  const copy = emptyCollection();
  for (const path of [LOG, SNAPSHOT, `${SNAPSHOT}.tmp`]) {
    if (statusOrNull(files, path) !== null) copy.put(path, files.readWhole(path));
  }
  return copy;
}
