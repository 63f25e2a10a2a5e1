import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';

const boundsSchema = z.strictObject({
  x: z.int(),
  y: z.int(),
  width: z.int().min(1),
  height: z.int().min(1),
});
const stateSchema = z.strictObject({ bounds: boundsSchema, maximized: z.boolean() });
export type Bounds = z.infer<typeof boundsSchema>;
export type WindowState = z.infer<typeof stateSchema>;

export const SMALLEST_WINDOW = { width: 640, height: 420 } as const;
const FIRST_WINDOW = { width: 1440, height: 900 } as const;

/** Reads where the window was. Null when it was never saved, or when what is there is not a window's state. */
export function loadWindowState(file: string): WindowState | null {
  try {
    return stateSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return null;
  }
}

/** Keeps where the window is. Failing to is no reason to trouble anybody: the next window opens in the usual place. */
export function saveWindowState(file: string, state: WindowState): void {
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, JSON.stringify(state));
  } catch {}
}

/**
 * Where the next window goes: where it was, if enough of that is on a display that still exists, else centred in a usual size
 * (no x and y). Sizes are in device-independent pixels.
 *
 * @param workAreas the displays that are there now
 */
export function placeWindow(
  state: WindowState | null,
  workAreas: readonly Bounds[],
): { x?: number; y?: number; width: number; height: number } {
  const primary = workAreas[0];
  const usual = {
    width: Math.min(FIRST_WINDOW.width, primary?.width ?? FIRST_WINDOW.width),
    height: Math.min(FIRST_WINDOW.height, primary?.height ?? FIRST_WINDOW.height),
  };
  if (!state) return usual;
  const { bounds } = state;
  const area = workAreas.find((display) => overlap(bounds, display) >= 100 * 50);
  if (!area) return usual;
  return {
    x: bounds.x,
    y: bounds.y,
    width: Math.max(SMALLEST_WINDOW.width, Math.min(bounds.width, area.width)),
    height: Math.max(SMALLEST_WINDOW.height, Math.min(bounds.height, area.height)),
  };
}

/** The area two rectangles share. */
function overlap(first: Bounds, second: Bounds): number {
  const width = Math.min(first.x + first.width, second.x + second.width) - Math.max(first.x, second.x);
  const height = Math.min(first.y + first.height, second.y + second.height) - Math.max(first.y, second.y);
  return Math.max(0, width) * Math.max(0, height);
}
