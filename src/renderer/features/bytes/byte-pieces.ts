import { call } from '../../connection/current.ts';

const PIECE = 1 << 14;
const PIECES_KEPT = 64;

/** Bytes of the log as they are needed, in pieces; the ones used last are kept. */
export class BytePieces {
  version = 0;
  private readonly pieces = new Map<number, Uint8Array>();
  private readonly inFlight = new Map<number, AbortController>();
  private readonly listeners = new Set<() => void>();

  constructor(
    private readonly session: string,
    private readonly end: number,
  ) {}

  /** The byte at an offset, or undefined while it is not here. */
  get(offset: number): number | undefined {
    return this.pieces.get(Math.floor(offset / PIECE))?.[offset % PIECE];
  }

  /** Says which bytes are on the screen. */
  want(from: number, to: number): void {
    const first = Math.floor(from / PIECE);
    const last = Math.floor(Math.max(from, to - 1) / PIECE);
    for (const [piece, controller] of this.inFlight) {
      if (piece < first || piece > last) {
        controller.abort();
        this.inFlight.delete(piece);
      }
    }
    for (let piece = first; piece <= last; piece++)
      if (!this.pieces.has(piece) && !this.inFlight.has(piece)) this.fetch(piece);
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  close(): void {
    for (const controller of this.inFlight.values()) controller.abort();
    this.inFlight.clear();
  }

  private fetch(piece: number): void {
    const controller = new AbortController();
    this.inFlight.set(piece, controller);
    const offset = piece * PIECE;
    const length = Math.max(0, Math.min(PIECE, this.end - offset));
    call('record.bytes', { session: this.session, offset: String(offset), length }, { signal: controller.signal }).then(
      ({ base64 }) => {
        if (this.inFlight.get(piece) !== controller) return;
        this.inFlight.delete(piece);
        this.pieces.set(piece, fromBase64(base64));
        if (this.pieces.size > PIECES_KEPT) this.pieces.delete(this.pieces.keys().next().value!);
        this.version++;
        for (const listener of this.listeners) listener();
      },
      () => {
        if (this.inFlight.get(piece) === controller) this.inFlight.delete(piece);
      },
    );
  }
}

export function fromBase64(base64: string): Uint8Array {
  const characters = atob(base64);
  const bytes = new Uint8Array(characters.length);
  for (let index = 0; index < bytes.length; index++) bytes[index] = characters.charCodeAt(index);
  return bytes;
}
