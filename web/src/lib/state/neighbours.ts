// Which files stand before and after the one on show. Knows names and kinds only.
import type { Entry } from "../api/types.ts";
import { kindOf } from "./kind.ts";
import { stemLength } from "./paths.ts";

/** Pictures and films among themselves; anything else among all files but sounds, which are heard, not looked at. */
export function neighboursOf(
  entries: readonly Entry[],
  name: string,
): { names: readonly string[]; at: number } {
  const files = entries.filter((entry) => entry.type === "file");
  const isSeen = (entry: Entry) => ["image", "video"].includes(kindOf(entry.mime, entry.name));
  const own = files.find((entry) => entry.name === name);
  const isHeard = (entry: Entry) => kindOf(entry.mime, entry.name) === "audio" && entry !== own;
  const alike = own && isSeen(own) ? files.filter(isSeen) : files.filter((entry) => !isHeard(entry));
  const names = alike.map((entry) => entry.name);
  return { names, at: names.indexOf(name) };
}

/** The sounds of a folder, in its order: what is heard one after the other. */
export function soundsOf(entries: readonly Entry[]): readonly Entry[] {
  return entries.filter((entry) => entry.type === "file" && kindOf(entry.mime, entry.name) === "audio");
}

/** The films of Live Photos by their pictures' names: the same name beside it, but for its ending. */
export function pairsOf(entries: readonly Entry[]): ReadonlyMap<string, string> {
  const files = entries.filter((entry) => entry.type === "file");
  const films = new Map(files.filter(({ name }) => /\.(mov|mp4)$/i.test(name)).map(({ name }) => [stemOf(name), name]));
  const pictures = files.filter(({ name }) => /\.(heic|heif|jpe?g)$/i.test(name));
  return new Map(
    pictures.flatMap(({ name }) => {
      const film = films.get(stemOf(name));
      return film === undefined ? [] : [[name, film] as const];
    }),
  );
}

function stemOf(name: string): string {
  return name.slice(0, stemLength(name)).toLowerCase();
}
