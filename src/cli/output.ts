import type { Writable } from 'node:stream';

const BUFFER_SIZE = 64 << 10;

/** The reader of a pipe went away (`velescope dump DIR | head`): nothing more can be told, and nothing is wrong. */
export class OutputClosed extends Error {}

/** What is printed cannot be taken (`velescope dump DIR > /dev/full`): that is no failure of a directory, and no other one can be told of. */
export class OutputFailed extends Error {}

/**
 * One of the process's output streams, buffered. `write` never waits; a loop that prints much calls `settle` after each
 * record, which waits until the stream has taken what is buffered, so that a slow reader holds the loop back.
 */
export class Output {
  readonly #stream: Writable;
  #buffer = Buffer.allocUnsafe(BUFFER_SIZE);
  #length = 0;
  #queue: Buffer[] = [];
  #failure: Error | null = null;

  /**
   * @param isTerminal whether what is written is interpreted by a terminal
   * @param colour whether colour may be used
   * @param columns how wide the terminal is; null where there is none, or it does not say
   */
  constructor(
    stream: Writable,
    readonly isTerminal: boolean,
    readonly colour: boolean,
    readonly columns: number | null = null,
  ) {
    this.#stream = stream;
    // Without a listener an EPIPE between two writes would end the process with a stack trace.
    stream.on('error', (error) => {
      this.#failure ??= error;
    });
  }

  write(text: string): void {
    if (text.length * 3 > BUFFER_SIZE) {
      this.writeBytes(Buffer.from(text));
      return;
    }
    if (this.#length + text.length * 3 > BUFFER_SIZE) this.#rotate();
    this.#length += this.#buffer.write(text, this.#length);
  }

  /** The bytes are copied: the caller may reuse their buffer. */
  writeBytes(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.#length === BUFFER_SIZE) this.#rotate();
      const piece = bytes.subarray(at, at + BUFFER_SIZE - this.#length);
      this.#buffer.set(piece, this.#length);
      this.#length += piece.length;
      at += piece.length;
    }
  }

  #rotate(): void {
    if (this.#length === 0) return;
    this.#queue.push(this.#buffer.subarray(0, this.#length));
    this.#buffer = Buffer.allocUnsafe(BUFFER_SIZE);
    this.#length = 0;
  }

  /** Whether `settle` has something to wait for; spares a loop the await. */
  get isFull(): boolean {
    return this.#queue.length > 0;
  }

  /** Waits until the stream has taken all full buffers. OutputClosed when nobody reads any more, else OutputFailed. */
  async settle(): Promise<void> {
    const queue = this.#queue;
    this.#queue = [];
    for (const buffer of queue) await this.#send(buffer);
  }

  /** Waits until the stream has taken everything. */
  async flush(): Promise<void> {
    this.#rotate();
    await this.settle();
  }

  #send(buffer: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = (error: Error) => {
        const isClosed = (error as NodeJS.ErrnoException).code === 'EPIPE';
        reject(isClosed ? new OutputClosed() : new OutputFailed(error.message, { cause: error }));
      };
      if (this.#failure) fail(this.#failure);
      else this.#stream.write(buffer, (error) => (error ? fail(error) : resolve()));
    });
  }
}

/** Whether colour may be used: on a terminal only, and not against NO_COLOR (no-color.org: set and not empty) or a dumb one. */
export function mayColour(isTerminal: boolean, environment: Readonly<Record<string, string | undefined>>): boolean {
  return isTerminal && !environment.NO_COLOR && environment.TERM !== 'dumb';
}
