import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** One line of the recorded answers of VelesDB's JSON library: what it made of `input`. */
export interface JsonVector {
  input: Uint8Array;
  /** What it wrote back, or null where it refused. */
  output: Uint8Array | null;
  error: string | undefined;
}

const path = fileURLToPath(new URL('../../../../shared/json-vectors.ndjson', import.meta.url));

/** False where the recorded answers are not beside the project; tests then say by name what they skip. */
export const vectorsPresent = existsSync(path);

export function readVectors(): JsonVector[] {
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines
    .filter((line) => line !== '')
    .map((line) => {
      const { in_b64, ok, out_b64, error } = JSON.parse(line);
      return {
        input: Uint8Array.from(Buffer.from(in_b64, 'base64')),
        output: ok ? Uint8Array.from(Buffer.from(out_b64, 'base64')) : null,
        error,
      };
    });
}

export function warnIfAbsent(names: string): void {
  if (!vectorsPresent) console.warn(`skipped, ${path} is not there: ${names}`);
}
