/** Words for numbers. All of it is for display: nothing here is parsed again. */

const grouped = new Intl.NumberFormat('en-US');

/** 48211 → "48,211". */
export function formatCount(value: number | bigint): string {
  return grouped.format(value);
}

/** "1 record", "2 records"; the noun's plural is its singular with an s unless told. */
export function formatNoun(count: number, singular: string, plural = `${singular}s`): string {
  return `${formatCount(count)} ${count === 1 ? singular : plural}`;
}

/** A size of a record in a dense column: bytes below a thousand as they are, else one decimal and a decimal unit. */
export function formatSize(bytes: number): string {
  if (bytes < 1000) return String(bytes);
  return formatBytes(bytes);
}

/** 31400000 → "31.4 MB". Decimal units, as disks and operating systems count. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} ${bytes === 1 ? 'byte' : 'bytes'}`;
  const units = ['KB', 'MB', 'GB', 'TB'];
  let value = bytes / 1000;
  let unit = 0;
  while (value >= 999.95 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value >= 99.95 ? Math.round(value) : value.toFixed(1).replace(/\.0$/, '')} ${units[unit]}`;
}

/** An offset (decimal text or number) as hexadecimal with at least eight digits: "0x0001AB1C". */
export function formatOffset(offset: string | number): string {
  return `0x${BigInt(offset).toString(16).toUpperCase().padStart(8, '0')}`;
}

/** 41 → "41 ms", 2140 → "2.1 s". */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 60_000) return `${(milliseconds / 1000).toFixed(1)} s`;
  return `${Math.floor(milliseconds / 60_000)} min ${Math.round((milliseconds % 60_000) / 1000)} s`;
}

/** Whole percent of a pass, 0…100; an empty pass is complete. */
export function percent(done: number, total: number): number {
  return total <= 0 ? 100 : Math.max(0, Math.min(100, Math.floor((done / total) * 100)));
}
