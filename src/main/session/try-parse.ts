/** The value of a JSON text of ours; null where it is none, as for the text `null`: both are refused by the schema behind it. */
export function tryParse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
