// What the list tells of an entry to what shows it, a line or a tile.
import type { Snippet } from "svelte";
import type { Entry } from "../api/types.ts";

export interface CellProps {
  entry: Entry;
  /** Its place in the list, from 0. */
  at: number;
  isSelected: boolean;
  isCursor: boolean;
  isCut: boolean;
  isDropTarget: boolean;
  isDraggable: boolean;
  /** Says of a read-only entry that it is; pointless where all are. */
  isLockShown: boolean;
  /** A link leads to it. */
  isShared: boolean;
  /** Where it opens; "" where there is nothing to open. */
  href: string;
  /** Stands in place of the name. */
  editor?: Snippet;
}
