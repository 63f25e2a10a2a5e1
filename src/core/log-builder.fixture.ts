import crc32 from 'crc-32';
import { type Crc32, encodeDelete, encodeLegacyDelete, encodeLegacyStore, encodeStore } from './record.ts';

/** The crc-32 package in the shape the core asks for; tests use it so that no Node module is needed. */
export const packageCrc32: Crc32 = (bytes, seed = 0) => crc32.buf(bytes, seed | 0) >>> 0;

const encoder = new TextEncoder();

export function text(value: string): Uint8Array {
  return encoder.encode(value);
}

/** Builds logs record by record, remembering where each one starts. */
export class LogBuilder {
  readonly pieces: Uint8Array[] = [];
  readonly offsets: number[] = [];
  length = 0;

  raw(bytes: Uint8Array | number[]): this {
    const piece = bytes instanceof Uint8Array ? bytes : Uint8Array.from(bytes);
    this.offsets.push(this.length);
    this.pieces.push(piece);
    this.length += piece.length;
    return this;
  }

  store(id: bigint | number, payload: string | Uint8Array = `{"id":${id}}`): this {
    return this.raw(encodeStore(BigInt(id), typeof payload === 'string' ? text(payload) : payload, packageCrc32));
  }

  delete(id: bigint | number): this {
    return this.raw(encodeDelete(BigInt(id), packageCrc32));
  }

  legacyStore(id: bigint | number, payload: string | Uint8Array = `{"id":${id}}`): this {
    return this.raw(encodeLegacyStore(BigInt(id), typeof payload === 'string' ? text(payload) : payload));
  }

  legacyDelete(id: bigint | number): this {
    return this.raw(encodeLegacyDelete(BigInt(id)));
  }

  bytes(): Uint8Array {
    const whole = new Uint8Array(this.length);
    let at = 0;
    for (const piece of this.pieces) {
      whole.set(piece, at);
      at += piece.length;
    }
    return whole;
  }
}
