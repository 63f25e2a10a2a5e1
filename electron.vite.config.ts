import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'electron-vite';
import { NONCE_PLACEHOLDER } from './src/main/content-security.ts';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

/**
 * One build for every door. The Node entries (desktop main process, command line, worker threads) share
 * chunks, so they are built together into out/; a separate build per door would duplicate the engine.
 */
export default defineConfig({
  main: {
    define: { __VELESCOPE_VERSION__: JSON.stringify(version) },
    build: {
      outDir: 'out',
      emptyOutDir: true,
      // Its hundred files take longer to load than all of Velescope, in every thread anew; in the bundle is what is used of it.
      externalizeDeps: { exclude: ['zod'] },
      sourcemap: true,
      rollupOptions: {
        input: {
          'main/index': resolve('src/main/index.ts'),
          'cli/index': resolve('src/cli/index.ts'),
          'worker/session': resolve('src/main/session/worker.ts'),
          'worker/log': resolve('src/main/engine/log-worker.ts'),
        },
        output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' },
      },
    },
  },
  preload: {
    build: {
      outDir: 'out/preload',
      sourcemap: true,
      rollupOptions: {
        input: { index: resolve('src/preload/index.ts') },
        output: { format: 'cjs', entryFileNames: '[name].cjs' },
      },
    },
  },
  renderer: {
    root: 'src/renderer',
    plugins: [react()],
    // Relative, because the page is served from app://bundle/ and from any port of the browser door.
    base: './',
    // Replaced in every answer; the page reads it from <meta property="csp-nonce"> for the styles it inserts.
    html: { cspNonce: NONCE_PLACEHOLDER },
    build: {
      outDir: 'out/renderer',
      sourcemap: false,
      rollupOptions: { input: resolve('src/renderer/index.html') },
    },
  },
});
