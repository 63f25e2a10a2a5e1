/** The path of Electron's executable, or null when it was never fetched. */
export function electronExecutable(): string | null;
/** Lets Electron's own installer fetch the runtime; why it failed, or null. */
export function fetchElectron(milliseconds: number): string | null;
/** Whether there is a display to open a window on. */
export function hasDisplay(): boolean;
