import { create } from 'zustand';

/** Candidates that were accepted for the recovery plan: table row → index of the candidate. The engine holds the truth. */
export const useAccepted = create<{ accepted: ReadonlyMap<number, number> }>(() => ({ accepted: new Map() }));
