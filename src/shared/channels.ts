/** The channels between the preload and the main process: the whole list. */
export const CHANNELS = {
  /** Page to main: one envelope of the protocol. */
  request: 'velescope:request',
  /** Main to page: one envelope of the protocol. */
  response: 'velescope:response',
  /** Preload to main: the path of what was dropped on the window. The page itself never sees a path. */
  dropped: 'velescope:dropped',
} as const;
