import { resolve } from 'node:path';
import { build } from 'vite';
import { readVectors, vectorsPresent, warnIfAbsent } from '../src/core/json/vectors.fixture.ts';
import { expect, test } from './app.ts';

warnIfAbsent('what VelesDB reads and writes back, in the JavaScript of a browser');

test.skip(!vectorsPresent, 'the recorded answers of VelesDB’s JSON library are not here');
test.skip(({ door }) => door !== 'browser', 'about the JavaScript of a browser; no window of Velescope is open');

/** The core's check and canonical form as one script that sets `velescopeJson`. */
async function script(): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: 'error',
    build: {
      write: false,
      minify: false,
      lib: {
        entry: resolve(import.meta.dirname, 'json-vectors.page.ts'),
        formats: ['iife'],
        name: 'velescopeJson',
      },
    },
  });
  const [output] = [built].flat();
  if (!output || !('output' in output)) throw new Error('nothing was built');
  return output.output[0].code;
}

/** Runs in the page, as text: what it makes of each payload, as "ok" and the bytes written, or the words of the refusal. */
const answers = (inputs: readonly string[]) => `(() => {
  const { canonicalize, checkPayload, isAccepted } = velescopeJson;
  const toText = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return ${JSON.stringify(inputs)}.map((base64) => {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const check = checkPayload(bytes);
    const canonical = canonicalize(bytes);
    return {
      accepted: isAccepted(bytes),
      message: check.state === 'ok' ? null : check.message,
      written: canonical.ok ? toText(canonical.bytes) : null,
    };
  });
})()`;

test('a browser says of every recorded payload what VelesDB said, and writes the bytes that it wrote', async ({
  chromium,
}) => {
  const vectors = readVectors();
  expect(vectors.length).toBeGreaterThan(4000);
  const context = await (await chromium()).newContext();
  try {
    const page = await context.newPage();
    await page.addScriptTag({ content: await script() });
    const found = await page.evaluate<unknown[]>(
      answers(vectors.map(({ input }) => Buffer.from(input).toString('base64'))),
    );
    expect(found).toEqual(
      vectors.map(({ output, error }) => ({
        accepted: output !== null,
        message: output === null ? error : null,
        written: output === null ? null : Buffer.from(output).toString('hex'),
      })),
    );
  } finally {
    await context.close();
  }
});
