// Whose it is that waits in this browser: of whoever was signed in when it was seen first.
import { keep, readKept } from "../state/keep.ts";
import type { Share } from "./store.ts";

/** Who looked last, and when (ms since 1970): `<when> <user>`. */
const KEPT_AS = "receivedSeen";

/** Whether a share is this person's: they said where it goes, or nobody else has seen it. */
export function isOf(user: string, { goal, at }: Pick<Share, "goal" | "at">): boolean {
  if (goal) return goal.user === user;
  const [, when, who] = /^(\d+) (.*)$/s.exec(readKept(KEPT_AS) ?? "") ?? [];
  return who === undefined || who === user || at > Number(when);
}

/** All that waits was seen by this person. */
export function noteSeen(user: string, now = Date.now()): void {
  keep(KEPT_AS, `${now} ${user}`);
}
