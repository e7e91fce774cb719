// What guests may be allowed, by what somebody may themselves.
import type { Rights } from "./wish.ts";

/** What there is to choose for a file or folder; the first is the usual one. */
export function rightsFor(type: "file" | "folder", mayRead: boolean, mayWrite: boolean): readonly [Rights, ...Rights[]] {
  if (type === "file" || !mayWrite) return ["read"];
  return mayRead ? ["read", "write", "both"] : ["write"];
}
