/** The Chromium that is there: named by VELESCOPE_CHROMIUM, the system's, or Playwright's. Null when there is none. */
export function findChromium(): string | null;
/** Finds a Chromium, or gets one, saying so: Playwright's download, else as root on Debian the package. Null when it cannot. */
export function provideChromium(say: (line: string) => void): string | null;
