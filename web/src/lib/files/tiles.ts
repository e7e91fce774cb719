// How large the tiles of the grid are. Numbers only; all lengths in pixels.

/** How wide tiles are at least, by size. */
const WIDTHS = [112, 136, 168, 208, 260, 330] as const;
/** A window so wide is looked at from farther away: what stands in it grows along, to this at most. */
const WIDE_PX = 1500;
const GROWTH_MAX = 1.6;
/** Between two tiles, and around what is in one. */
const GAP_PX = 8;
const INSET_PX = 8;
/** The two lines of words below a picture, and the gap before them. */
const WORDS_PX = 44;

export interface Tiles {
  columns: number;
  /** From one line of tiles to the next. */
  height: number;
  /** How wide the picture in a tile is. */
  face: number;
}

/** The tiles of a size, counted from the smallest, in so much room. */
export function tilesFor(width: number, size: number): Tiles {
  const growth = Math.min(GROWTH_MAX, Math.max(1, width / WIDE_PX));
  const wanted = (WIDTHS[size] ?? 168) * growth;
  const columns = Math.max(2, Math.floor((width + GAP_PX) / (wanted + GAP_PX)));
  const face = Math.max(40, (width - GAP_PX * (columns - 1)) / columns - 2 * INSET_PX);
  return { columns, height: Math.round((face * 3) / 4) + 2 * INSET_PX + WORDS_PX + GAP_PX, face };
}
