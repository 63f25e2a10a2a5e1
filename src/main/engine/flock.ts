import { createRequire } from 'node:module';
import type * as Koffi from 'koffi';
import { VelescopeError } from '../../shared/errors.ts';

/**
 * The lock VelesDB takes, through the operating system's own call: flock(2) on Linux and macOS, LockFileEx on Windows
 * (docs/format.md, "Data directory"). koffi calls it without a compile step; it is loaded at the first lock, so that
 * looking at a directory does not depend on it. Rejected: spawning `flock` (not everywhere), Node's fs (has none), a lock
 * file of our own (VelesDB would not see it).
 */
interface NativeLock {
  /** True when taken, false when somebody else has it. */
  tryLock(descriptor: number, whole: boolean): boolean;
  unlock(descriptor: number, whole: boolean): void;
}

const LOCK_EXCLUSIVE = 2;
const LOCK_NOT_WAITING = 4;
const LOCK_RELEASE = 8;

let native: NativeLock | undefined;

/** See `OpenFile.tryLock`. `descriptor` is one of Node's. */
export function tryLockDescriptor(descriptor: number, whole: boolean): boolean {
  native ??= loadNativeLock();
  return native.tryLock(descriptor, whole);
}

export function unlockDescriptor(descriptor: number, whole: boolean): void {
  native?.unlock(descriptor, whole);
}

function loadNativeLock(): NativeLock {
  let koffi: typeof Koffi;
  try {
    const loaded = createRequire(import.meta.url)('koffi') as typeof Koffi & { default?: typeof Koffi };
    koffi = loaded.default ?? loaded;
    return process.platform === 'win32' ? windowsLock(koffi) : posixLock(koffi);
  } catch (cause) {
    throw new VelescopeError('LOCK_UNAVAILABLE', `the file lock of this system cannot be reached: ${String(cause)}`, {
      next: 'Without the lock a running VelesDB cannot be kept out, so writing stays off. Reading works.',
      cause,
    });
  }
}

function posixLock(koffi: typeof Koffi): NativeLock {
  const flock = koffi.load(null).func('int flock(int, int)') as (descriptor: number, operation: number) => number;
  const { EWOULDBLOCK, EAGAIN, EINTR } = koffi.os.errno as Record<string, number>;
  return {
    tryLock(descriptor) {
      for (;;) {
        if (flock(descriptor, LOCK_EXCLUSIVE | LOCK_NOT_WAITING) === 0) return true;
        const failure = koffi.errno();
        if (failure === EWOULDBLOCK || failure === EAGAIN) return false;
        if (failure !== EINTR) throw lockRefused(`flock failed with errno ${failure}`);
      }
    },
    unlock(descriptor) {
      flock(descriptor, LOCK_RELEASE);
    },
  };
}

/**
 * Windows locks ranges of bytes, and a locked range cannot be read through another handle. VelesDB locks all of
 * `velesdb.lock` (fs2); on the log only one byte far behind any possible end is locked, so that everybody can go on
 * reading it. Node's descriptors belong to the C runtime inside the executable, whose libuv turns them into handles.
 */
function windowsLock(koffi: typeof Koffi): NativeLock {
  const kernel = koffi.load('kernel32.dll');
  const overlapped = koffi.struct('VelescopeOverlapped', {
    internal: 'uintptr_t',
    internalHigh: 'uintptr_t',
    offset: 'uint32_t',
    offsetHigh: 'uint32_t',
    event: 'void *',
  });
  const lockFileEx = kernel.func('__stdcall', 'LockFileEx', 'int', [
    'intptr_t',
    'uint32_t',
    'uint32_t',
    'uint32_t',
    'uint32_t',
    koffi.inout(koffi.pointer(overlapped)),
  ]);
  const unlockFileEx = kernel.func('__stdcall', 'UnlockFileEx', 'int', [
    'intptr_t',
    'uint32_t',
    'uint32_t',
    'uint32_t',
    koffi.inout(koffi.pointer(overlapped)),
  ]);
  const lastError = kernel.func('__stdcall', 'GetLastError', 'uint32_t', []);
  const handleOf = koffi.load(process.execPath).func('intptr_t uv_get_osfhandle(int)');
  const exclusiveNotWaiting = 0x2 | 0x1;
  const lockViolation = 33;
  const ioPending = 997;
  const range = (whole: boolean) => ({
    low: whole ? 0xffff_ffff : 1,
    high: whole ? 0xffff_ffff : 0,
    at: { internal: 0, internalHigh: 0, offset: 0, offsetHigh: whole ? 0 : 0x7fff_ffff, event: null },
  });
  return {
    tryLock(descriptor, whole) {
      const { low, high, at } = range(whole);
      if (lockFileEx(handleOf(descriptor), exclusiveNotWaiting, 0, low, high, at) !== 0) return true;
      const failure = Number(lastError());
      if (failure === lockViolation || failure === ioPending) return false;
      throw lockRefused(`LockFileEx failed with error ${failure}`);
    },
    unlock(descriptor, whole) {
      const { low, high, at } = range(whole);
      unlockFileEx(handleOf(descriptor), 0, low, high, at);
    },
  };
}

function lockRefused(what: string): VelescopeError {
  return new VelescopeError('LOCK_UNAVAILABLE', `the file system does not give a lock: ${what}`, {
    next: 'Some network drives have no locks. Copy the directory to a local disk to write to it.',
  });
}
