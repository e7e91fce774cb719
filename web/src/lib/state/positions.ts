// How far a film or a long sound was played, by its path; kept in this browser, the latest only.
import { keep, readKept } from "./keep.ts";

/** Files whose place is remembered; the one longest untouched goes. */
const KEPT_MAX = 100;
/** What was hardly begun starts at the beginning, and so does what was as good as over (s). */
const BEGUN_S = 10;
const LEFT_S = 15;
const KEPT_AS = "positions";

/** A path and how far (s); the latest is last. */
export type Positions = readonly (readonly [path: string, seconds: number])[];

/** Where to go on with a file of this length (s); 0 for its beginning. */
export function positionOf(path: string, duration: number): number {
  const seconds = read().find(([one]) => one === path)?.[1] ?? 0;
  return isWorth(seconds, duration) ? seconds : 0;
}

/** Remembers how far a file was played. */
export function keepPosition(path: string, seconds: number, duration: number): void {
  keep(KEPT_AS, JSON.stringify(withPosition(read(), path, isWorth(seconds, duration) ? seconds : 0)));
}

/** The list with this one as the latest, or without it where there is nothing to remember (0). */
export function withPosition(all: Positions, path: string, seconds: number): Positions {
  const others = all.filter(([one]) => one !== path);
  return seconds > 0 ? [...others, [path, Math.round(seconds)] as const].slice(-KEPT_MAX) : others;
}

/** Reads what was kept; what is none of ours is nothing. */
export function readPositions(kept: string | null): Positions {
  try {
    const list: unknown = JSON.parse(kept ?? "[]");
    if (!Array.isArray(list)) return [];
    const isOne = (one: unknown): one is [string, number] =>
      Array.isArray(one) && typeof one[0] === "string" && typeof one[1] === "number" && one[1] > 0;
    return list.filter(isOne).slice(-KEPT_MAX);
  } catch {
    return [];
  }
}

function read(): Positions {
  return readPositions(readKept(KEPT_AS));
}

function isWorth(seconds: number, duration: number): boolean {
  return seconds >= BEGUN_S && seconds < duration - LEFT_S;
}
