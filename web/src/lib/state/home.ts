// The folders that somebody lands in who may not see everything. Above them are folders that would show nothing but
// the way, and nobody is led there. Only strings; knows no server and no page.
import { cleanPath, crumbsOf, isWithin, nameOf, parentOf } from "./paths.ts";

/** The topmost of the folders that may be seen; `[""]` is everything. */
export function homesOf(readable: readonly string[]): string[] {
  const all = [...new Set(readable.map(cleanPath))];
  return all.filter((one) => !all.some((other) => other !== one && isWithin(one, other))).sort();
}

/** Where `path` leads: somewhere above their folders it is the one they have, or the list of them. */
export function placeOf(path: string, homes: readonly string[]): string {
  const isAbove = homes.some((home) => isWithin(home, path)) && !homes.some((home) => isWithin(path, home));
  if (!isAbove) return path;
  return homes.length === 1 ? (homes[0] ?? path) : "";
}

/** The folder above, as far as one is led up; `path` itself where nothing is. */
export function aboveOf(path: string, homes: readonly string[]): string {
  return placeOf(parentOf(path), homes);
}

/** Whether their folders are listed at the top, in the place of what is really there. */
export function areListed(homes: readonly string[]): boolean {
  return homes.length > 1;
}

/** The way to `path` from where one lands; `top` is what the beginning is called that is no folder of theirs. */
export function wayTo(path: string, homes: readonly string[], top: string): { name: string; path: string }[] {
  const home = homes.find((one) => isWithin(path, one));
  if (home === undefined || home === "") return [{ name: top, path: "" }, ...crumbsOf(path)];
  const below = crumbsOf(path).filter((crumb) => crumb.path !== home && isWithin(crumb.path, home));
  const inside = [{ name: nameOf(home), path: home }, ...below];
  return areListed(homes) ? [{ name: top, path: "" }, ...inside] : inside;
}

/** The entry of the list at the top through which one comes to `path`; "" where there is no such list. */
export function homeTowards(path: string, homes: readonly string[]): string {
  return areListed(homes) ? (homes.find((home) => isWithin(path, home)) ?? "") : "";
}
