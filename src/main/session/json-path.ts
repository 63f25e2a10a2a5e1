import { type PathStep, parsePath } from '../../core/json/path.ts';
import { VelescopeError } from '../../shared/errors.ts';

/** A condition on one place of a payload: `$.a.b[0] = value`. */
export interface PathCondition {
  steps: PathStep[];
  operator: '=' | '!=' | '<' | '<=' | '>' | '>=' | 'contains' | 'exists';
  value: unknown;
  /**
   * UTF-8 bytes that every matching payload holds, but for one that spells them with escapes (`ESCAPED`); or null. Most payloads are
   * ruled out by a byte search.
   */
  needle: string | null;
}

/** How a printable ASCII character is spelled with an escape: these bytes, then a digit from 2 to 7. VelesDB itself never writes it so. */
export const ESCAPED = '\\u00';

const OPERATORS = ['!=', '<=', '>=', '=', '<', '>'] as const;

/**
 * Parses a condition. A bare word as value is a string. Throws BAD_QUERY saying where and what was expected.
 */
export function parsePathCondition(text: string): PathCondition {
  const fail = (at: number, expected: string): never => {
    throw new VelescopeError('BAD_QUERY', `At character ${at + 1} of the path: expected ${expected}.`, {
      next: 'Write a path such as $.user.name = "Ann", $.tags[0], $.score >= 0.5 or $.title contains draft.',
    });
  };
  const path = parsePath(text);
  if (!path.ok) return fail(path.at, path.expected);
  const { steps, end: at } = path;
  const rest = text.slice(at).trim();
  const lastName = steps.findLast((step) => typeof step === 'string');
  // Not with a slash, which has an escape of its own.
  const isPlain = typeof lastName === 'string' && /^[\x20-\x21\x23-\x2e\x30-\x5b\x5d-\x7e]+$/.test(lastName);
  const needle = isPlain ? lastName : null;
  if (rest === '' || rest === 'exists') return { steps, operator: 'exists', value: null, needle };
  if (rest.startsWith('contains ')) {
    return { steps, operator: 'contains', value: literal(rest.slice(9).trim()), needle };
  }
  const operator = OPERATORS.find((candidate) => rest.startsWith(candidate));
  if (!operator) return fail(at, 'an operator: = != < <= > >= contains exists');
  const value = rest.slice(operator.length).trim();
  if (value === '') return fail(text.length, 'a value');
  return { steps, operator, value: literal(value), needle };
}

function literal(text: string): unknown {
  // Integers past 2^53 are compared as bigint: the ids people search for would all be equal as doubles.
  if (/^-?\d+$/.test(text)) return BigInt(text);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/**
 * Whether a payload's text meets the condition. Text that is not JSON meets none. A reviver with the number's source would be
 * shorter, but Node 20 has none.
 */
export function meetsCondition(text: string, condition: PathCondition): boolean {
  let value: unknown;
  try {
    value = JSON.parse(text, undefined);
  } catch {
    return false;
  }
  for (const step of condition.steps) {
    if (value === null || typeof value !== 'object' || !Object.hasOwn(value, step)) return false;
    value = (value as Record<string | number, unknown>)[step];
  }
  const { operator, value: wanted } = condition;
  if (operator === 'exists') return true;
  if (operator === 'contains') {
    if (typeof value === 'string') return value.includes(String(wanted));
    if (Array.isArray(value)) return value.some((element) => equal(element, wanted, text));
    return false;
  }
  if (operator === '=') return equal(value, wanted, text);
  if (operator === '!=') return !equal(value, wanted, text);
  const order = compare(value, wanted);
  if (order === null) return false;
  switch (operator) {
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
  }
}

function equal(value: unknown, wanted: unknown, text: string): boolean {
  if (typeof wanted === 'bigint') {
    if (typeof value !== 'number') return typeof value === 'string' && value === String(wanted);
    if (Number.isSafeInteger(value)) return BigInt(value) === wanted;
    // The double is not the number: the digits themselves must stand in the text.
    return value === Number(wanted) && new RegExp(`(?<![\\d.])${wanted}(?![\\d.eE])`).test(text);
  }
  if (wanted !== null && typeof wanted === 'object') return JSON.stringify(value) === JSON.stringify(wanted);
  return value === wanted;
}

function compare(value: unknown, wanted: unknown): number | null {
  if (typeof value === 'number' && (typeof wanted === 'bigint' || typeof wanted === 'number')) {
    const other = Number(wanted);
    return value < other ? -1 : value > other ? 1 : 0;
  }
  if (typeof value === 'string' && typeof wanted !== 'object') {
    const other = String(wanted);
    return value < other ? -1 : value > other ? 1 : 0;
  }
  return null;
}
