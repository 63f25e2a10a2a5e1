/** What is used of WebAssembly. Every runtime has it, but no library that the core compiles with declares it. */
export interface WebAssemblyRuntime<Exports> {
  Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  Memory: new (size: { initial: number }) => { buffer: ArrayBuffer };
  Instance: new (module: object, imports: object) => { exports: Exports };
}

/** Bytes of a page, which memories are counted in (WebAssembly core specification 1.0, 4.2.8). */
export const PAGE = 65_536;

/**
 * The runtime's WebAssembly, for modules that export these routines; undefined where there is none. Where a content security policy
 * forbids it, compiling throws: callers catch that and go the plain way.
 */
export function webAssembly<Exports>(): WebAssemblyRuntime<Exports> | undefined {
  return (globalThis as unknown as { WebAssembly?: WebAssemblyRuntime<Exports> }).WebAssembly;
}
