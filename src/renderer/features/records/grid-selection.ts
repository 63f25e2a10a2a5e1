import { create } from 'zustand';
import type { RowRange } from './grid-model.ts';

/** Rows and columns that are selected in the grid, for copying and exporting. Follows the focus unless it is extended. */
export const useGridSelection = create<{ range: RowRange | null; column: number | null }>(() => ({
  range: null,
  column: null,
}));
