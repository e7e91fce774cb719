// Whether one stays signed in on this device: as one chose last.
import { keep, readKept } from "./keep.ts";

const KEPT_AS = "remember";

/** What was chosen here; at first what fits the device: a phone is one person's, a desk may be anybody's. */
export function isRemembered(): boolean {
  const kept = readKept(KEPT_AS);
  return kept === null ? matchMedia("(pointer: coarse)").matches : kept === "yes";
}

export function keepRemembered(isWanted: boolean): void {
  keep(KEPT_AS, isWanted ? "yes" : "no");
}
