/**
 * The only addresses that are ever handed to the system's browser, by name. Addresses come from this list alone: one that
 * stands in a payload, a collection's name or a message of the page is compared with it, never opened.
 */
export const EXTERNAL_LINKS = {
  velesdb: 'https://github.com/cyberlife-coder/VelesDB',
} as const;

const KNOWN: ReadonlySet<string> = new Set(Object.values(EXTERNAL_LINKS));

/** Whether an address is, character for character, one of the list. */
export function isExternalLink(address: string): boolean {
  return KNOWN.has(address);
}
