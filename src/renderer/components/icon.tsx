import type { ReactNode } from 'react';

/** Line icons on a 16-unit square, drawn in the current colour. Never the only bearer of a meaning: a word stands beside each. */
const PATHS = {
  check: <path d="M3 8.5 6.5 12 13 4.5" />,
  cross: <path d="m4 4 8 8m0-8-8 8" />,
  warning: <path d="M8 3.5v5.5M8 11.6v.9" strokeWidth="2.2" />,
  circle: <circle cx="8" cy="8" r="4.2" />,
  dot: <circle cx="8" cy="8" r="4" fill="currentColor" stroke="none" />,
  superseded: <path d="M3.2 8a4.8 4.8 0 1 0 1.6-3.6M3 2.8v2.6h2.6M8 5.4V8l1.8 1.2" />,
  deleted: <path d="M5.5 4H13v8H5.5L2 8zM7.5 6.3l3.2 3.4m0-3.4L7.5 9.7" />,
  scissors: <path d="M2.5 3 13 12M2.5 13 13 4M4 12.5a1 1 0 1 0-.1 0M4 3.5a1 1 0 1 0-.1 0" />,
  zeros: <ellipse cx="8" cy="8" rx="3.2" ry="5" strokeDasharray="2 1.6" />,
  unknown: <path d="M5.5 6a2.5 2.5 0 1 1 3.6 2.2c-.8.4-1.1.8-1.1 1.6M8 12.2v.6" />,
  chevronDown: <path d="m4 6 4 4 4-4" />,
  chevronRight: <path d="m6 4 4 4-4 4" />,
  arrowUp: <path d="M8 12.5v-9M4.5 7 8 3.5 11.5 7" />,
  arrowDown: <path d="M8 3.5v9M4.5 9 8 12.5 11.5 9" />,
  lock: <path d="M4 7.5h8v5.5H4zM5.5 7.5V5.5a2.5 2.5 0 0 1 5 0v2" />,
  folder: <path d="M2 4.5h4l1.5 1.5H14v6.5H2z" />,
  menu: <path d="M2.5 4.5h11M2.5 8h11M2.5 11.5h11" />,
  search: <path d="M10.2 10.2 14 14M7 11.5a4.5 4.5 0 1 1 0-9 4.5 4.5 0 0 1 0 9z" />,
  plus: <path d="M8 3v10M3 8h10" />,
  pause: <path d="M5.5 4v8M10.5 4v8" strokeWidth="2" />,
  more: <path d="M3.5 8h.01M8 8h.01M12.5 8h.01" strokeWidth="2.4" />,
  info: <path d="M8 7v5M8 4.2v.6" strokeWidth="1.8" />,
} satisfies Record<string, ReactNode>;

export type IconName = keyof typeof PATHS;

/** A decorative icon, hidden from assistive technology: its word says the same. */
export function Icon({ name, className }: { name: IconName; className?: string }) {
  return (
    <svg
      className={className ? `icon ${className}` : 'icon'}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.6"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      {PATHS[name]}
    </svg>
  );
}
