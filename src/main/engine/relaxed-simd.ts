import { setFlagsFromString } from 'node:v8';

/** The first V8 that has relaxed SIMD without being asked: of Node 21, and of every Electron that is still kept. */
const FIRST_WITH_IT = [11, 4] as const;

/**
 * Switches on relaxed SIMD where the runtime knows it and keeps it behind a flag, which is Node 20 only: CRCs are folded with it
 * (core/fast-crc.ts). Must be called before the first routine is compiled; a routine that is refused all the same has a plainer twin. The
 * flag cannot be asked for on the command line: `velescope` is started by its first line.
 */
export function allowRelaxedSimd(version: string = process.versions.v8, setFlags = setFlagsFromString): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const hasIt = major > FIRST_WITH_IT[0] || (major === FIRST_WITH_IT[0] && minor >= FIRST_WITH_IT[1]);
  if (!hasIt) setFlags('--experimental-wasm-relaxed-simd');
}
