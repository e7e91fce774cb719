// Which lines of a long list are drawn: those in sight and a few around. Numbers only.

/** How far beyond each edge lines are drawn (px), so that a quick scroll meets no gap. */
const AROUND_PX = 384;

/** The first line drawn and the one after the last. All lengths in pixels. */
export function linesInSight(
  scrollTop: number,
  height: number,
  lineHeight: number,
  count: number,
): { from: number; to: number } {
  const around = Math.ceil(AROUND_PX / lineHeight);
  const first = Math.floor(Math.max(0, scrollTop) / lineHeight) - around;
  const last = Math.ceil((Math.max(0, scrollTop) + height) / lineHeight) + around;
  const from = Math.min(Math.max(0, first), count);
  return { from, to: Math.max(from, Math.min(count, last)) };
}

/** How many lines `linesInSight` answers with at the most: as many slots take turns in showing them. */
export function slotCount(height: number, lineHeight: number): number {
  return Math.ceil(height / lineHeight) + 1 + 2 * Math.ceil(AROUND_PX / lineHeight);
}

/**
 * Gives each name that is drawn a slot: one that was drawn before keeps its own, another takes one that
 * came free. So a scroll writes new words into standing elements instead of making others, and what is
 * being pressed or dragged stays what it is when others come and go.
 */
export class Slots {
  #held = new Map<string, number>();

  /** The slots of these names, in their order. */
  of(names: readonly string[]): number[] {
    const kept = new Set(names.flatMap((name) => this.#held.get(name) ?? []));
    let next = 0;
    const free = () => {
      while (kept.has(next)) next += 1;
      return next++;
    };
    this.#held = new Map(names.map((name) => [name, this.#held.get(name) ?? free()]));
    return [...this.#held.values()];
  }
}

/** Where to scroll so that a line is wholly in sight; as it is when it is already. */
export function scrollToShow(
  line: number,
  scrollTop: number,
  height: number,
  lineHeight: number,
): number {
  const top = line * lineHeight;
  if (top < scrollTop) return top;
  if (top + lineHeight > scrollTop + height) return top + lineHeight - height;
  return scrollTop;
}

/** A rectangle in the list's own pixels. */
export interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** The numbers of the cells that a rubber band touches. */
export function cellsInBand(
  band: Box,
  columns: number,
  cellWidth: number,
  cellHeight: number,
  count: number,
): number[] {
  const fromLine = Math.max(0, Math.floor(band.top / cellHeight));
  const toLine = Math.min(Math.ceil(count / columns) - 1, Math.floor(band.bottom / cellHeight));
  const fromColumn = Math.max(0, Math.floor(band.left / cellWidth));
  const toColumn = Math.min(columns - 1, Math.floor(band.right / cellWidth));
  const cells: number[] = [];
  for (let line = fromLine; line <= toLine; line += 1) {
    for (let column = fromColumn; column <= toColumn; column += 1) {
      const cell = line * columns + column;
      if (cell < count) cells.push(cell);
    }
  }
  return cells;
}
