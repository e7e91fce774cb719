// A link leads to one file or folder: of several things it leads to a new folder with copies of them.
import { createFolder, listFolder, remove, transfer } from "../api/files.ts";
import { Problem } from "../api/problem.ts";
import { jobs } from "../state/jobs.svelte.ts";
import { cleanPath, isWithin, joinPath, nameOf, parentOf } from "../state/paths.ts";
import { session } from "../state/session.svelte.ts";
import { t } from "../state/texts.svelte.ts";

/** Bytes of the longest name that every drive takes, less room for a number. */
const NAME_BYTES_MAX = 200;

/** Names that are tried: somebody else may take one between. */
const TRIES_MAX = 5;

/** The folder that folders of copies go into: in the first place to write that holds what is shared, else in any. */
export function placeFor(path: string): string {
  const prefixes = session.writable.map(cleanPath).sort((a, b) => a.length - b.length);
  const prefix = prefixes.find((one) => isWithin(parentOf(path), one)) ?? prefixes[0] ?? "";
  return joinPath(prefix, t("share.folder"));
}

/** A folder's name made of what somebody typed; "" where nothing of it can be one. */
export function nameFrom(label: string): string {
  // eslint-disable-next-line no-control-regex -- what no name may hold
  let name = label.replace(/[/\\:*?"<>|\u0000-\u001f\u007f]/g, "_").replace(/\s+/g, " ").replace(/^[. ]+|[. ]+$/g, "");
  const bytes = (text: string) => new TextEncoder().encode(text).length;
  while (bytes(name) > NAME_BYTES_MAX) name = [...name].slice(0, -1).join("");
  return name.trim();
}

/** A name that is not taken, in the way larder numbers copies. Drives may not tell large letters from small ones. */
export function freeName(name: string, taken: readonly string[]): string {
  const all = new Set(taken.map((one) => one.toLowerCase()));
  if (!all.has(name.toLowerCase())) return name;
  let number = 1;
  while (all.has(`${name} (${number})`.toLowerCase())) number += 1;
  return `${name} (${number})`;
}

/**
 * Makes a folder for copies of these and fills it; answers with its path. `onjob` is told what copies
 * them, where that takes a while. Nothing is left where that fails.
 */
export async function makeCopies(
  paths: readonly string[],
  place: string,
  name: string,
  label: string,
  onjob: (id: string) => void = () => undefined,
): Promise<string> {
  const folder = await makeFolder(place, name);
  try {
    const answer = await transfer("copy", paths, folder, "rename", session.may("/api/jobs"));
    if ("job" in answer) {
      onjob(answer.job);
      await jobs.follow(answer.job, label);
    }
    return folder;
  } catch (cause) {
    await takeBack(folder);
    throw cause;
  }
}

/** Removes a folder of copies that no link leads to; what was copied is where it was. */
export async function takeBack(folder: string): Promise<void> {
  // Where it may not be removed, it stays: it holds nothing that is not elsewhere.
  await remove(folder, "folder", { isPermanent: false, isJob: false }).catch(() => undefined);
}

async function makeFolder(place: string, name: string): Promise<string> {
  await createFolder(parentOf(place), nameOf(place)).catch(ignoreTaken);
  for (let attempt = 1; ; attempt += 1) {
    const taken = await listFolder(place);
    const free = freeName(name, taken.map((entry) => entry.name));
    try {
      await createFolder(place, free);
      return joinPath(place, free);
    } catch (cause) {
      if (!isTaken(cause) || attempt === TRIES_MAX) throw cause;
    }
  }
}

function ignoreTaken(cause: unknown): void {
  if (!isTaken(cause)) throw cause;
}

function isTaken(cause: unknown): boolean {
  return cause instanceof Problem && cause.kind === "collision";
}
