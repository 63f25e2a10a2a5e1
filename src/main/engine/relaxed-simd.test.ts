import { expect, test } from 'vitest';
import { BlockWalker, blockWalkerFor } from '../../core/fast-scan.ts';
import { webAssembly } from '../../core/wasm/runtime.ts';
import { crc32 } from './crc32.ts';
import { allowRelaxedSimd } from './relaxed-simd.ts';

test('the flag is set where V8 needs one, and nowhere else', () => {
  const asked: string[] = [];
  for (const version of ['11.3.244.8-node.38', '11.4.1', '12.4.254.21', '14.8.1', '9.4.0']) {
    allowRelaxedSimd(version, (flag) => asked.push(`${version} ${flag}`));
  }
  expect(asked).toEqual([
    '11.3.244.8-node.38 --experimental-wasm-relaxed-simd',
    '9.4.0 --experimental-wasm-relaxed-simd',
  ]);
});

test('with the CRC of the engine, this runtime folds', () => {
  expect(() => new BlockWalker(webAssembly()!, crc32, true)).not.toThrow();
  expect(blockWalkerFor(crc32)?.folds).toBe(true);
});
