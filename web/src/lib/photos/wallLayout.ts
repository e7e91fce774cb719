// Where each photo of the wall stands: months below each other, each a heading and rows of squares. The counts
// alone say it, so that nothing moves when a month's photos come. Numbers only; all lengths in pixels.
import type { Direction } from "../state/keys.ts";

/** Between two photos. */
export const GAP_PX = 3;
/** A month's heading, with the air above it. */
export const HEAD_PX = 56;
/** Below the last row of a month. */
const FOOT_PX = 16;
/** What lies so far beyond an edge is drawn, so that a quick scroll meets no hole. */
const AROUND_PX = 320;
/** A phone, as the style sheets have it. */
const NARROW_PX = 640;
/** A window so wide is looked at from farther away: what stands in it grows along, to this at most. */
const WIDE_PX = 1500;
const GROWTH_MAX = 1.7;

/** The sizes one can choose: how many stand in a row on a phone, and how wide they are elsewhere. */
const NARROW_COLUMNS = [5, 4, 3] as const;
const WIDTHS = [92, 128, 176, 240, 330] as const;

/** How many sizes there are at this width. */
export function sizeCount(width: number): number {
  return width <= NARROW_PX ? NARROW_COLUMNS.length : WIDTHS.length;
}

/** How many photos stand in a row at a size, counted from the smallest. */
export function columnsAt(size: number, width: number): number {
  if (width <= NARROW_PX) return NARROW_COLUMNS[size] ?? 4;
  const growth = Math.min(GROWTH_MAX, Math.max(1, width / WIDE_PX));
  const wanted = (WIDTHS[size] ?? 176) * growth;
  return Math.max(3, Math.round((width + GAP_PX) / (wanted + GAP_PX)));
}

/** One row of photos, by their numbers on the whole wall: from `from` up to `to`. */
export interface Row {
  month: number;
  row: number;
  from: number;
  to: number;
  /** All of them. */
  indexes: readonly number[];
  top: number;
}

export class WallLayout {
  /** The height of a photo, and of a row with the gap below it. */
  readonly cell: number;
  readonly line: number;
  readonly height: number;
  readonly total: number;
  /** Where each month begins, and with which photo; one more of each says where the last ends. */
  readonly #tops: number[] = [0];
  readonly #firsts: number[] = [0];

  constructor(readonly counts: readonly number[], readonly columns: number, width: number) {
    this.cell = Math.max(1, Math.round((width - GAP_PX * (columns - 1)) / columns));
    this.line = this.cell + GAP_PX;
    for (const count of counts) {
      const height = HEAD_PX + Math.ceil(count / columns) * this.line - GAP_PX + FOOT_PX;
      this.#tops.push((this.#tops.at(-1) ?? 0) + height);
      this.#firsts.push((this.#firsts.at(-1) ?? 0) + count);
    }
    this.height = this.#tops.at(-1) ?? 0;
    this.total = this.#firsts.at(-1) ?? 0;
  }

  topOf(month: number): number {
    return this.#tops[month] ?? this.height;
  }

  /** The number of a month's first photo. */
  firstOf(month: number): number {
    return this.#firsts[month] ?? this.total;
  }

  /** The month that stands at a height. */
  monthAt(y: number): number {
    return lastUpTo(this.#tops, y, this.counts.length);
  }

  /** The month of a photo. */
  monthOf(index: number): number {
    return lastUpTo(this.#firsts, index, this.counts.length);
  }

  /** The months that are at least partly in sight or close to it. */
  monthsInSight(scrollTop: number, height: number): { from: number; to: number } {
    if (this.counts.length === 0) return { from: 0, to: 0 };
    return {
      from: this.monthAt(scrollTop - AROUND_PX),
      to: this.monthAt(scrollTop + height + AROUND_PX) + 1,
    };
  }

  /** The rows that are drawn. */
  rowsInSight(scrollTop: number, height: number): Row[] {
    const { from, to } = this.monthsInSight(scrollTop, height);
    const [upper, lower] = [scrollTop - AROUND_PX, scrollTop + height + AROUND_PX];
    const rows: Row[] = [];
    for (let month = from; month < to; month += 1) {
      const body = this.topOf(month) + HEAD_PX;
      const count = this.counts[month] ?? 0;
      const first = Math.max(0, Math.floor((upper - body) / this.line));
      const last = Math.min(Math.ceil(count / this.columns) - 1, Math.floor((lower - body) / this.line));
      for (let row = first; row <= last; row += 1) rows.push(this.#row(month, row));
    }
    return rows;
  }

  /** The upper edge of a photo's row. */
  rowTopOf(index: number): number {
    const month = this.monthOf(index);
    const row = Math.floor((index - this.firstOf(month)) / this.columns);
    return this.topOf(month) + HEAD_PX + row * this.line;
  }

  /** The photo at a point of the wall, or the one nearest to it. */
  indexAt(x: number, y: number): number {
    const month = this.monthAt(y);
    const count = this.counts[month] ?? 0;
    const row = Math.floor((y - this.topOf(month) - HEAD_PX) / this.line);
    // Over the heading it is the month's first; the air below a month belongs to its last row.
    if (row < 0) return this.firstOf(month);
    const column = Math.min(this.columns - 1, Math.max(0, Math.floor(x / this.line)));
    return this.firstOf(month) + Math.min(count - 1, row * this.columns + column);
  }

  /** Where an arrow leads from a photo; rows of different months are one below the other. */
  step(index: number, direction: Direction, page: number): number {
    const last = this.total - 1;
    switch (direction) {
      case "first": return 0;
      case "last": return last;
      case "left": return Math.max(0, index - 1);
      case "right": return Math.min(last, index + 1);
      case "up": return this.#rowsOn(index, -1);
      case "down": return this.#rowsOn(index, 1);
      case "pageUp": return this.#rowsOn(index, -page);
      case "pageDown": return this.#rowsOn(index, page);
    }
  }

  /** The photo so many rows on, in the same column where there is one. */
  #rowsOn(index: number, rows: number): number {
    let month = this.monthOf(index);
    const within = index - this.firstOf(month);
    const column = within % this.columns;
    let row = Math.floor(within / this.columns) + rows;
    while (row < 0 && month > 0) {
      month -= 1;
      row += this.#rowCount(month);
    }
    while (row >= this.#rowCount(month) && month < this.counts.length - 1) {
      row -= this.#rowCount(month);
      month += 1;
    }
    // Beyond the first row or the last one there is none: the ends are reached.
    if (row < 0) return 0;
    if (row >= this.#rowCount(month)) return this.total - 1;
    const count = this.counts[month] ?? 0;
    return this.firstOf(month) + Math.min(count - 1, row * this.columns + column);
  }

  #rowCount(month: number): number {
    return Math.ceil((this.counts[month] ?? 0) / this.columns);
  }

  #row(month: number, row: number): Row {
    const first = this.firstOf(month);
    const from = first + row * this.columns;
    const to = Math.min(from + this.columns, first + (this.counts[month] ?? 0));
    const indexes = Array.from({ length: to - from }, (_, step) => from + step);
    return { month, row, from, to, indexes, top: this.topOf(month) + HEAD_PX + row * this.line };
  }
}

/** Which of rising numbers is the last one up to a value; within the first `count`. */
function lastUpTo(rising: readonly number[], value: number, count: number): number {
  let [low, high] = [0, Math.max(0, count - 1)];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((rising[middle] ?? Infinity) <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}
