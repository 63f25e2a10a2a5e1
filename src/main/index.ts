import { join } from 'node:path';
import { app, dialog } from 'electron';
import { startDesktop } from './desktop.ts';
import { createServices } from './services/index.ts';

// Built to out/main/index.js, beside out/preload and out/renderer.
const out = join(import.meta.dirname, '..');

// Not awaited: Electron becomes ready only once this module has been evaluated, and the start waits for it to be ready.
startDesktop(createServices, {
  preload: join(out, 'preload', 'index.cjs'),
  bundle: join(out, 'renderer'),
}).catch((error: unknown) => {
  dialog.showErrorBox('Velescope could not start', error instanceof Error ? error.message : String(error));
  app.exit(1);
});
