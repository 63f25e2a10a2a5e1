import fc from 'fast-check';
import { packageCrc32 } from '../../src/core/log-builder.fixture.ts';
import { type PlainSnapshot, plainReplay } from './naive.ts';

/** What is done to the snapshot of a log; numbers are taken modulo what is there, so that any recipe fits any log. */
export interface SnapshotRecipe {
  kind: 'none' | 'honest' | 'tampered' | 'broken bytes';
  /** Which record boundary it is taken at. */
  cut: number;
  tampering: {
    what: 'offset' | 'id' | 'drop' | 'again' | 'position' | 'swap';
    entry: number;
    value: bigint;
  }[];
  breaking: { what: 'flip' | 'cut' | 'append' | 'count' | 'position'; at: number; value: bigint; sealed: boolean }[];
}

const u64 = fc.oneof(
  fc.bigInt(0n, 9n),
  fc.bigInt(0n, 5000n),
  fc.bigInt(0n, 0xffff_ffff_ffff_ffffn),
  fc.constantFrom(1n << 60n, 1n << 53n, (1n << 63n) - 1n, 1n << 63n, 0xffff_ffffn),
);

export const snapshotRecipe: fc.Arbitrary<SnapshotRecipe> = fc.record({
  kind: fc.constantFrom('none', 'honest', 'honest', 'tampered', 'tampered', 'broken bytes'),
  cut: fc.nat(),
  tampering: fc.array(
    fc.record({
      what: fc.constantFrom('offset', 'id', 'drop', 'again', 'position', 'swap'),
      entry: fc.nat(),
      value: u64,
    }),
    { minLength: 1, maxLength: 4 },
  ),
  breaking: fc.array(
    fc.record({
      what: fc.constantFrom('flip', 'cut', 'append', 'count', 'position'),
      at: fc.nat(),
      value: u64,
      sealed: fc.boolean(),
    }),
    { minLength: 1, maxLength: 3 },
  ),
});

/** The bytes of a snapshot that claims anything, with a CRC that holds. */
export function encodePlain({ position, entries }: PlainSnapshot): Uint8Array {
  const bytes = new Uint8Array(25 + entries.length * 16);
  const data = new DataView(bytes.buffer);
  bytes.set([0x56, 0x53, 0x4e, 0x50, 1]);
  data.setBigUint64(5, position, true);
  data.setBigUint64(13, BigInt(entries.length), true);
  entries.forEach(([id, offset], entry) => {
    data.setBigUint64(21 + entry * 16, id, true);
    data.setBigUint64(29 + entry * 16, offset, true);
  });
  seal(bytes);
  return bytes;
}

function seal(bytes: Uint8Array): void {
  const end = bytes.length - 4;
  new DataView(bytes.buffer).setUint32(end, packageCrc32(bytes.subarray(0, end)), true);
}

/** The snapshot that a recipe makes of a log whose records start at `boundaries` (its end included). */
export function makeSnapshot(
  recipe: SnapshotRecipe,
  log: Uint8Array,
  boundaries: readonly number[],
): Uint8Array | null {
  if (recipe.kind === 'none') return null;
  const cut = boundaries[recipe.cut % boundaries.length]!;
  const replayed = plainReplay(log.subarray(0, cut), 'v3.12', null);
  let entries: [bigint, bigint][] = replayed.ok ? [...replayed.index] : [];
  let position = BigInt(cut);
  if (recipe.kind === 'tampered') {
    for (const { what, entry, value } of recipe.tampering) {
      const at = entries.length === 0 ? -1 : entry % entries.length;
      if (what === 'position') position = value;
      else if (what === 'again') entries.push([at < 0 ? value : entries[at]![0], value]);
      else if (at < 0) entries.push([value, value]);
      else if (what === 'offset') entries[at] = [entries[at]![0], value];
      else if (what === 'id') entries[at] = [value, entries[at]![1]];
      else if (what === 'drop') entries = entries.filter((_, index) => index !== at);
      else {
        const other = Number(value % BigInt(entries.length));
        const kept = entries[at]![1];
        entries[at] = [entries[at]![0], entries[other]![1]];
        entries[other] = [entries[other]![0], kept];
      }
    }
  }
  let bytes = encodePlain({ position, entries });
  if (recipe.kind === 'broken bytes') {
    for (const { what, at, value, sealed } of recipe.breaking) {
      bytes = bytes.slice();
      if (what === 'flip' && bytes.length > 0) bytes[at % bytes.length]! ^= 1 << (at & 7);
      else if (what === 'cut') bytes = bytes.slice(0, at % (bytes.length + 1));
      else if (what === 'append') bytes = Uint8Array.from([...bytes, ...new Uint8Array(1 + (at % 40))]);
      else if (bytes.length >= 21) new DataView(bytes.buffer).setBigUint64(what === 'count' ? 13 : 5, value, true);
      if (sealed && bytes.length >= 4) seal(bytes);
    }
  }
  return bytes;
}

/** Reads a snapshot once more, straight from docs/format.md ("Snapshot"): null where VelesDB would refuse it. */
export function plainParse(bytes: Uint8Array | null): PlainSnapshot | null {
  if (bytes === null || bytes.length < 25) return null;
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (String.fromCharCode(...bytes.subarray(0, 4)) !== 'VSNP' || bytes[4] !== 1) return null;
  const count = data.getBigUint64(13, true);
  if (21n + 16n * count + 4n !== BigInt(bytes.length)) return null;
  const end = bytes.length - 4;
  if (packageCrc32(bytes.subarray(0, end)) !== data.getUint32(end, true)) return null;
  const entries: [bigint, bigint][] = [];
  for (let entry = 0; entry < Number(count); entry++) {
    entries.push([data.getBigUint64(21 + entry * 16, true), data.getBigUint64(29 + entry * 16, true)]);
  }
  return { position: data.getBigUint64(5, true), entries };
}
