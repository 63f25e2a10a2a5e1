import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_GENERATION, type View } from '../../core/generation.ts';
import { checkPayloads } from '../../core/payload-check.ts';
import { planRecovery } from '../../core/recovery/plan.ts';
import { scan } from '../../core/scan.ts';
import { runToEnd } from '../../core/steps.ts';
import { crc32 } from './crc32.ts';
import { FileSource } from './file-source.ts';
import { LOG_FILE } from './lock.ts';
import { findHolder } from './lock-holder.ts';
import { LogPayloadStorage, type Operation } from './log-payload-storage.ts';
import { DURABILITIES, type Durability } from './log-writer.ts';
import { nodeFiles } from './node-files.ts';
import { recoverInPlace } from './recovery.ts';

/**
 * Torture: a child process writes, snapshots and recovers, and reports each beginning and each acknowledgement on a pipe; it is
 * killed (SIGKILL) at a random moment; then the collection is opened here and compared with what was acknowledged. What the
 * child does follows from a seed, so that both sides know it. When the child dies is up to the machine: a seed repeats the
 * operations, not the moment.
 */
export interface TortureOptions {
  rounds: number;
  seed: number;
  /** Where the collections are made; removed afterwards unless something was lost. */
  directory: string;
  /** The child's program, JavaScript: runs `runTortureChild` with its arguments. */
  child: string;
  onRound?: (report: TortureReport) => void;
}

export interface TortureReport {
  rounds: number;
  /** Begun by the children. */
  operations: number;
  /** Of them acknowledged. */
  acknowledged: number;
  /** Rounds that were killed between the beginning and the acknowledgement of something. */
  interrupted: number;
  /** Logs whose tail had to be cut before writing. */
  trimmed: number;
  losses: string[];
}

type Action = { type: 'apply'; operations: Operation[] } | { type: 'snapshot' | 'sync' | 'recover' };

/** A collection is begun anew after this many rounds, so that reading it does not become the larger part of the work. */
const ROUNDS_A_COLLECTION = 20;
const LONGEST_LIFE_MILLISECONDS = 120;
const AUTOMATIC_SNAPSHOT_BYTES = 20_000;

/** Random numbers in [0, 1) from a seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

/** What a child with this seed does, without end. */
function* actionsOf(seed: number): Generator<Action> {
  const random = randomFrom(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const id = () => (below(10) === 0 ? 0xffff_ffff_ffff_fff0n + BigInt(below(16)) : BigInt(below(40)));
  let serial = 0;
  const operation = (): Operation => {
    if (below(4) === 0) return { type: 'delete', id: id() };
    const filler = 'x'.repeat(below(40) === 0 ? below(30_000) : below(200));
    return { type: 'store', id: id(), payload: `{"seed":${seed},"serial":${serial++},"filler":"${filler}"}` };
  };
  for (;;) {
    const kind = below(100);
    if (kind < 3) yield { type: 'snapshot' };
    else if (kind < 6) yield { type: 'sync' };
    else if (kind < 8) yield { type: 'recover' };
    else yield { type: 'apply', operations: Array.from({ length: kind < 25 ? 1 + below(20) : 1 }, operation) };
  }
}

/** The child: `DIRECTORY SEED DURABILITY`. Never ends by itself. */
export function runTortureChild([directory, seed, durability]: readonly string[]): void {
  const say = (line: string) => fs.writeSync(1, `${line}\n`);
  const open = () => {
    const storage = LogPayloadStorage.open(directory!, {
      writable: true,
      durability: durability as Durability,
      automaticSnapshotBytes: AUTOMATIC_SNAPSHOT_BYTES,
      onWarning: (warning) => say(`failed ${warning.code} ${warning.message}`),
    });
    if (storage.writingRefusal !== null) throw storage.writingRefusal;
    return storage;
  };
  try {
    let storage = open();
    say('ready');
    for (const action of actionsOf(Number(seed))) {
      say('begin');
      if (action.type === 'apply') say(storage.apply(action.operations));
      else {
        if (action.type === 'snapshot') storage.createSnapshot();
        else if (action.type === 'sync') storage.sync();
        else {
          storage.close();
          recover(directory!);
          storage = open();
        }
        say('synced');
      }
    }
  } catch (thrown) {
    say(`failed ${String(thrown)}`);
    process.exit(1);
  }
}

/** Compacts the log in place, which is what a recovery of a sound one comes to. */
function recover(directory: string): void {
  const log = nodeFiles.open(join(directory, LOG_FILE), 'read');
  try {
    const source = new FileSource(log);
    const table = runToEnd(scan({ source, crc32 }));
    table.link();
    runToEnd(checkPayloads({ source, table }));
    const plan = runToEnd(planRecovery({ source, table, crc32, policy: 'salvage', compact: true }));
    const input = { files: nodeFiles, directory, log, seen: log.status(), table, plan };
    runToEnd(recoverInPlace(input, { findHolder }));
  } finally {
    log.close();
  }
}

/** Runs the rounds. Losses are told in words and end nothing. */
export async function torture(options: TortureOptions): Promise<TortureReport> {
  const report: TortureReport = { rounds: 0, operations: 0, acknowledged: 0, interrupted: 0, trimmed: 0, losses: [] };
  const random = randomFrom(options.seed);
  let directory = '';
  let contents = new Map<bigint, string>();
  for (let round = 0; round < options.rounds; round++) {
    if (round % ROUNDS_A_COLLECTION === 0) {
      if (directory !== '' && report.losses.length === 0) fs.rmSync(directory, { recursive: true });
      directory = join(options.directory, `collection-${round}`);
      fs.mkdirSync(directory, { recursive: true });
      fs.writeFileSync(join(directory, 'config.json'), '{}');
      contents = new Map();
    }
    const seed = Math.floor(random() * 0x1_0000_0000);
    const durability = DURABILITIES[Math.floor(random() ** 2 * DURABILITIES.length)]!;
    const hadLog = fs.existsSync(join(directory, LOG_FILE));
    const lines = await lifeOf(options.child, [directory, String(seed), durability], random);
    const lost = (what: string) => {
      report.losses.push(`round ${round}, seed ${seed}, ${durability}, ${directory}: ${what}`);
    };

    report.rounds++;
    const history = historyOf(lines, seed);
    report.operations += history.begun;
    report.acknowledged += history.acknowledged;
    if (history.begun > history.acknowledged) report.interrupted++;
    for (const failure of history.failures) lost(failure);
    if (hadLog && !fs.existsSync(join(directory, LOG_FILE))) lost('payloads.log is gone');

    // In `none` what is accepted may be lost with the process, from the end on.
    const least = durability === 'none' ? history.synced : history.confirmed;
    const found = contentsOf(directory, DEFAULT_GENERATION);
    if (!isReachable(contents, history.operations, least, found)) {
      lost(
        `${found.size} ids as no prefix of the ${history.operations.length} operations leaves them, ${least} acknowledged`,
      );
    }
    const everything = contentsOf(directory, 'salvage');
    if (!isReachable(contents, history.operations, least, everything)) lost('salvage shows something else');
    if (!isWritable(directory)) {
      report.trimmed++;
      if (!trimAndOpen(directory)) lost('writing is refused also after the tail was cut');
      if (!isReachable(contents, history.operations, least, contentsOf(directory, DEFAULT_GENERATION))) {
        lost('cutting the tail lost something');
      }
    }
    contents = contentsOf(directory, DEFAULT_GENERATION);
    options.onRound?.(report);
  }
  if (report.losses.length === 0) fs.rmSync(options.directory, { recursive: true, force: true });
  return report;
}

/** Starts a child, kills it at a random moment, and returns what it said. */
function lifeOf(child: string, parameters: readonly string[], random: () => number): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const process_ = spawn(process.execPath, [child, ...parameters], { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    const life = random() * LONGEST_LIFE_MILLISECONDS;
    const kill = () => process_.kill('SIGKILL');
    // One in ten dies while it starts or opens.
    if (random() < 0.1) setTimeout(kill, life * 2);
    process_.stdout.setEncoding('utf8');
    process_.stdout.on('data', (piece: string) => {
      if (said === '') setTimeout(kill, life);
      said += piece;
    });
    process_.on('error', reject);
    process_.on('close', () => resolve(said.split('\n')));
  });
}

interface History {
  begun: number;
  acknowledged: number;
  /** All stores and deletes begun, in order. */
  operations: Operation[];
  /** How many of them were acknowledged, and how many came before the last sync or `saved`. */
  confirmed: number;
  synced: number;
  failures: string[];
}

/** What a child's lines say it did; a last line without its end counts as not said. */
function historyOf(lines: readonly string[], seed: number): History {
  const history: History = { begun: 0, acknowledged: 0, operations: [], confirmed: 0, synced: 0, failures: [] };
  const actions = actionsOf(seed);
  for (const line of lines.slice(0, -1)) {
    if (line === 'begin') {
      const action = actions.next().value as Action;
      history.begun++;
      if (action.type === 'apply') history.operations.push(...action.operations);
    } else if (line === 'saved' || line === 'accepted' || line === 'synced') {
      history.acknowledged++;
      history.confirmed = history.operations.length;
      if (line !== 'accepted') history.synced = history.confirmed;
    } else if (line !== 'ready') history.failures.push(line);
  }
  return history;
}

/** Whether `found` is what some prefix of the operations, of at least `least`, makes of `before`. */
function isReachable(
  before: ReadonlyMap<bigint, string>,
  operations: readonly Operation[],
  least: number,
  found: ReadonlyMap<bigint, string>,
): boolean {
  const contents = new Map(before);
  const differs = (id: bigint) => contents.get(id) !== found.get(id);
  const ids = new Set([...before.keys(), ...found.keys(), ...operations.map(({ id }) => id)]);
  let different = [...ids].filter(differs).length;
  for (let done = 0; ; done++) {
    if (done >= least && different === 0) return true;
    const operation = operations[done];
    if (operation === undefined) return false;
    if (differs(operation.id)) different--;
    if (operation.type === 'store') contents.set(operation.id, String(operation.payload));
    else contents.delete(operation.id);
    if (differs(operation.id)) different++;
  }
}

function contentsOf(directory: string, view: View): Map<bigint, string> {
  const storage = LogPayloadStorage.open(directory, { view });
  const contents = new Map<bigint, string>();
  for (const id of storage.ids()) {
    const found = storage.retrieve(id)!;
    contents.set(id, found.ok ? new TextDecoder().decode(found.payload) : `unreadable: ${found.error.message}`);
  }
  storage.close();
  return contents;
}

function isWritable(directory: string): boolean {
  const storage = LogPayloadStorage.open(directory, { writable: true });
  const writable = storage.writable;
  storage.close();
  return writable;
}

function trimAndOpen(directory: string): boolean {
  const storage = LogPayloadStorage.open(directory, { writable: true });
  const obstacles = (storage.writingRefusal?.data?.obstacles ?? []) as { generation?: string; at?: number }[];
  storage.close();
  const at = obstacles.find(({ generation }) => generation === DEFAULT_GENERATION)?.at;
  if (at === undefined) return false;
  fs.truncateSync(join(directory, LOG_FILE), at);
  return isWritable(directory);
}
