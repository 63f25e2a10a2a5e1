import { randomBytes } from 'node:crypto';

/** Stands in the built page where the style nonce of each answer goes (electron.vite.config.ts puts it there). */
export const NONCE_PLACEHOLDER = 'VELESCOPE_STYLE_NONCE';

/** A new style nonce: 128 random bits, base64. */
export function createNonce(): string {
  return randomBytes(16).toString('base64');
}

/**
 * The content security policy of both doors. Everything is denied but what the bundle itself holds; no `unsafe-*` anywhere.
 *
 * `styleNonce` admits the style elements that the code editor and the dialogs insert. The alternative they would otherwise
 * force is 'unsafe-inline', which admits the styles of anybody. Scripts get no nonce: 'self' is all the bundle needs.
 */
export function contentSecurityPolicy(styleNonce: string | null): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    styleNonce === null ? "style-src 'self'" : `style-src 'self' 'nonce-${styleNonce}'`,
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

/** Headers that every answer of either door carries, errors included. */
export function securityHeaders(styleNonce: string | null = null): Record<string, string> {
  return {
    'content-security-policy': contentSecurityPolicy(styleNonce),
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy':
      'camera=(), display-capture=(), geolocation=(), hid=(), microphone=(), midi=(), payment=(), serial=(), usb=()',
    // The page names collections and shows payloads: nothing of it belongs in a cache on disk.
    'cache-control': 'no-store',
  };
}
