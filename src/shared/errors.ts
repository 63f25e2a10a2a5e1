/**
 * Errors have a stable code, say what was expected and what was found, and what to do next. Programs branch on the
 * code, never on the text. The codes are listed in docs/errors.md.
 */
export const ERROR_CODES = [
  // protocol
  'BAD_REQUEST',
  'UNKNOWN_METHOD',
  'CANCELLED',
  'NOT_ALLOWED',
  'TOO_LARGE',
  'INTERNAL',
  'DISCONNECTED',
  'OUT_OF_RESOURCES',
  // things that are not there any more, or not yet
  'NO_SUCH_PLACE',
  'NO_SUCH_DATABASE',
  'NO_SUCH_COLLECTION',
  'NO_SUCH_SESSION',
  'NO_SUCH_QUERY',
  'NO_SUCH_ROW',
  'NO_SUCH_RECORD',
  'NO_SUCH_PLAN',
  'STALE_REVISION',
  // the directory and its files
  'NOT_FOUND',
  'NOT_A_DIRECTORY',
  'NOT_A_FILE',
  'PERMISSION_DENIED',
  'DISK_FULL',
  'IO_ERROR',
  'OUTSIDE_ROOT',
  'READ_ONLY',
  // writing
  'WRITING_OFF',
  'LOCK_HELD',
  'LOCK_UNAVAILABLE',
  'LOG_CHANGED',
  'LOG_GREW',
  'LOG_SHRANK',
  'LOG_REPLACED',
  'LOG_DAMAGED',
  'SNAPSHOT_DISAGREES',
  'WRITER_BROKEN',
  'VERIFY_FAILED',
  'PAYLOAD_REFUSED',
  'PAYLOAD_TOO_LARGE',
  'INVALID_ID',
  'DRAFT_CONFLICT',
  // recovery
  'POLICY_NOT_MET',
  'TARGET_IS_SOURCE',
  'TARGET_NOT_EMPTY',
  'TARGET_READ_ONLY',
  'SOURCE_CHANGED',
  'PLAN_NOT_VERIFIED',
  // text the person typed
  'BAD_QUERY',
] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

/** What goes through every door as it is. A bigint goes through Electron's and ends the process that turns it into JSON. */
export type Plain =
  | string
  | number
  | boolean
  | null
  | undefined
  | readonly Plain[]
  | { readonly [name: string]: Plain };

/**
 * An error as it travels: plain data, because a process boundary keeps nothing of an Error but its message. A type and no interface:
 * only a type is known to have no further members, and may stand in the data of another error.
 */
export type ErrorValue = {
  code: ErrorCode;
  /** What was expected and what was found, one or two sentences. */
  message: string;
  /** What the person can do next. */
  next?: string;
  data?: Record<string, Plain>;
};

export class VelescopeError extends Error {
  readonly code: ErrorCode;
  readonly next: string | undefined;
  readonly data: Record<string, Plain> | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { next?: string; data?: Record<string, Plain>; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'VelescopeError';
    this.code = code;
    this.next = options.next;
    this.data = options.data;
  }
}

/** An operating system's error code as ours. */
const SYSTEM_CODES: Readonly<Record<string, ErrorCode>> = {
  ENOENT: 'NOT_FOUND',
  ENOTDIR: 'NOT_A_DIRECTORY',
  EISDIR: 'NOT_A_FILE',
  EACCES: 'PERMISSION_DENIED',
  EPERM: 'PERMISSION_DENIED',
  EROFS: 'READ_ONLY',
  ENOSPC: 'DISK_FULL',
  EDQUOT: 'DISK_FULL',
  EMFILE: 'OUT_OF_RESOURCES',
  ENFILE: 'OUT_OF_RESOURCES',
  ENOMEM: 'OUT_OF_RESOURCES',
};

/** What a person can do about what the system says, where whoever asked it knew no better advice. */
export const SYSTEM_ADVICE: Readonly<Partial<Record<ErrorCode, string>>> = {
  NOT_FOUND: 'Check how the path is spelled, and whether the disk that holds it is mounted.',
  PERMISSION_DENIED: 'Run it as a user who may do that, or have the permissions changed.',
  DISK_FULL: 'Make room on the disk and try again.',
  OUT_OF_RESOURCES:
    'Close collections that are not needed, or other programs, or raise the limit of open files, and try again.',
};

/** Turns anything thrown into plain data. An error nobody foresaw is INTERNAL and keeps its message. */
export function toErrorValue(thrown: unknown): ErrorValue {
  if (thrown instanceof VelescopeError) {
    return {
      code: thrown.code,
      message: thrown.message,
      ...(thrown.next === undefined ? {} : { next: thrown.next }),
      ...(thrown.data === undefined ? {} : { data: thrown.data }),
    };
  }
  if (thrown instanceof Error) {
    const system = (thrown as Error & { code?: unknown }).code;
    if (typeof system === 'string' && /^E[A-Z0-9]+$/.test(system)) {
      const code = SYSTEM_CODES[system] ?? 'IO_ERROR';
      const next = SYSTEM_ADVICE[code];
      return { code, message: thrown.message, ...(next === undefined ? {} : { next }), data: { system } };
    }
    return { code: 'INTERNAL', message: thrown.message };
  }
  return { code: 'INTERNAL', message: String(thrown) };
}

/** The error a value came from, for callers that want to throw it again. */
export function fromErrorValue(value: ErrorValue): VelescopeError {
  return new VelescopeError(value.code, value.message, {
    ...(value.next === undefined ? {} : { next: value.next }),
    ...(value.data === undefined ? {} : { data: value.data }),
  });
}
