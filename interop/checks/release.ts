import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { Generation } from '../../src/core/generation.ts';

/** What a release answered: one closing line, and the items before it. */
export type Answer = { items: Item[]; warnings?: string[] } & (
  | ({ ok: true } & Record<string, unknown>)
  | { ok: false; kind: string; message: string }
);

/** A payload as a release reads and prints it, or why it does not. */
export interface Item {
  id: string;
  text?: string;
  error?: { kind: string; message: string };
  absent?: boolean;
  noPayload?: boolean;
}

export interface Abilities {
  storeBatch: boolean;
  deferredBatch: boolean;
  deleteBatch: boolean;
  fullFlush: boolean;
}

/** The program of one VelesDB release (interop/README.md): a line in, lines out, in order. */
export class Release {
  readonly version: string;
  readonly abilities: Abilities;
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;

  static async start(version: string, programs: string): Promise<Release> {
    const name = `velesdb-v${version.replaceAll('.', '-')}`;
    const process = spawn(`${programs}/${name}`, [], { stdio: ['pipe', 'pipe', 'inherit'] });
    await new Promise<void>((resolve, reject) => {
      process.once('spawn', resolve);
      process.once('error', reject);
    });
    const lines = createInterface({ input: process.stdout })[Symbol.asyncIterator]();
    const about = await callOver(process.stdin, lines, 'about', {});
    if (!about.ok || about.release !== version) throw new Error(`${name} says it is ${JSON.stringify(about)}`);
    return new Release(version, about as unknown as Abilities, process, lines);
  }

  private constructor(
    version: string,
    abilities: Abilities,
    process: ChildProcessByStdio<Writable, Readable, null>,
    lines: AsyncIterator<string>,
  ) {
    this.version = version;
    this.abilities = abilities;
    this.#process = process;
    this.#lines = lines;
  }

  get pid(): number {
    return this.#process.pid!;
  }

  /** How this release reacts to damage, by its version. */
  get generation(): Generation {
    const [major, minor] = this.version.split('.').map(Number) as [number, number];
    if (major >= 8) return 'v8.0';
    if (major > 3 || (major === 3 && minor >= 12)) return 'v3.12';
    if (major > 1 || minor >= 17) return 'v1.17';
    return minor >= 16 ? 'v1.16' : 'v1.6';
  }

  /** From 7.0 on VelesDB comes with a JSON library that names another column of text that is not UTF-8. */
  get namesIllFormedByte(): boolean {
    return Number(this.version.split('.')[0]) >= 7;
  }

  /** Asks; a refusal is an answer like any other. */
  call(method: string, fields: object = {}): Promise<Answer> {
    return callOver(this.#process.stdin, this.#lines, method, fields);
  }

  /** Asks for something that has to work. */
  async must(method: string, fields: object = {}): Promise<Extract<Answer, { ok: true }>> {
    const answer = await this.call(method, fields);
    if (!answer.ok) throw new Error(`VelesDB ${this.version}: ${method}: ${answer.kind}: ${answer.message}`);
    return answer;
  }

  async end(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.stdin.end();
    await ended;
  }
}

async function callOver(input: Writable, lines: AsyncIterator<string>, call: string, fields: object): Promise<Answer> {
  input.write(`${JSON.stringify({ call, ...fields })}\n`);
  const items: Item[] = [];
  for (;;) {
    const { value, done } = await lines.next();
    if (done) throw new Error(`The program ended while it was asked for ${call}`);
    const line = JSON.parse(value);
    if ('ok' in line) return { ...line, items };
    items.push(line.item);
  }
}
