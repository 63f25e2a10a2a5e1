/**
 * The nonce that lets libraries insert style elements under the page's content security policy. The dialogs' scroll lock looks
 * for it in this global, and has no other way to be told; without it the style is refused and the page scrolls behind a dialog.
 */
declare global {
  var __webpack_nonce__: string | undefined;
}

globalThis.__webpack_nonce__ = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce;

export {};
