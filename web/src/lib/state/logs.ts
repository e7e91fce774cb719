// Rows of the log: put together from several answers, and narrowed down. Knows no page.
import type { LogRow } from "../api/types.ts";

/** Rows kept on a page: more than anybody reads. */
const ROWS_MAX = 5000;

/** All rows of both, each once, newest first. */
export function mergeRows(have: readonly LogRow[], more: readonly LogRow[]): LogRow[] {
  const byId = new Map([...have, ...more].map((row) => [row.id, row]));
  return [...byId.values()].sort((a, b) => b.id - a.id).slice(0, ROWS_MAX);
}

/** Rows that say all the words of a filter, in any order; `timeOf` is how their time is shown. */
export function keepMatching(
  rows: readonly LogRow[],
  filter: string,
  timeOf: (row: LogRow) => string,
): readonly LogRow[] {
  const words = filter.toLocaleLowerCase().split(/\s+/).filter((word) => word !== "");
  if (words.length === 0) return rows;
  return rows.filter((row) => {
    const text = `${row.timestamp} ${timeOf(row)} ${row.action} ${row.ip}`.toLocaleLowerCase();
    return words.every((word) => text.includes(word));
  });
}
