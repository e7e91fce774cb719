// What is done to files and folders: delete, move, copy, restore; with collisions asked, long work
// followed, and a way back offered.
import { listFolder, remove, removeAll, rename, restore, type Started, transfer } from "../api/files.ts";
import { Problem } from "../api/problem.ts";
import type { Entry, IfExists } from "../api/types.ts";
import { type Batch, collisions, type Side } from "./collisions.svelte.ts";
import { JobCancelled, jobs } from "./jobs.svelte.ts";
import { listing } from "./listing.svelte.ts";
import { isWithin, joinPath, nameOf, parentOf } from "./paths.ts";
import { isPassing } from "./retry.ts";
import { leftBecause, session } from "./session.svelte.ts";
import { plural, t } from "./texts.svelte.ts";
import { toasts } from "./toasts.svelte.ts";
import { describe } from "./words.ts";
import { readable } from "./rawNames.ts";

/** Things that are deleted in one step: the server takes twice as many. */
const REMOVED_AT_ONCE = 5000;

/** How often what cannot be deleted together is tried as two halves: enough to find a few among thousands. */
const SPLITS_MAX = 60;

/** What an action has done: where things are now, and under which ids the trash has what they replaced. */
interface Done {
  /** `undefined` where nobody told. */
  paths: string[] | undefined;
  trash: string[];
  isPermanent: boolean;
}

/**
 * Deletes entries of a folder. What fails is back on the list and said. `show` has another view than the list of its
 * folder show what is left, and resolves when it does.
 */
export async function removeEntries(
  folder: string,
  entries: readonly Entry[],
  isPermanent: boolean,
  show?: () => Promise<unknown>,
): Promise<void> {
  listing.takeOff(folder, entries);
  const done: Entry[] = [];
  const trash: string[] = [];
  let failure: unknown;
  let isAnyPermanent = isPermanent;
  let splitsLeft = SPLITS_MAX;
  const steps = stepsOf(entries);
  for (let group = steps.shift(); group; group = steps.shift()) {
    try {
      const answer = await removeGroup(folder, group, isPermanent);
      done.push(...group);
      trash.push(...answer.trash);
      if (answer.isPermanent) isAnyPermanent = true;
    } catch (cause) {
      // The rest would fail the same way, or is called off with this.
      const isOver = isPassing(cause) || leftBecause(cause) || cause instanceof JobCancelled;
      if (!isOver && !isPermanent && group.length > 1 && splitsLeft > 0) {
        // One that stands fast keeps all with it: halves of it find out which one that is.
        splitsLeft -= 1;
        const middle = Math.ceil(group.length / 2);
        steps.unshift(group.slice(0, middle), group.slice(middle));
        continue;
      }
      failure ??= cause;
      if (isOver) break;
    }
  }
  const gone = new Set(done);
  const left = entries.filter((entry) => !gone.has(entry));
  listing.bringBack(folder, entries, left);
  if (failure !== undefined) sayLeft(left, failure);
  listing.refresh();
  const shown = show?.();
  const [first] = done;
  if (!first) return;
  const words =
    done.length === 1 ? t("delete.done", { name: readable(first.name) }) : plural("delete.doneMany", done.length);
  const mayUndo = !isAnyPermanent && trash.length > 0 && session.may("/api/trash/restore");
  toasts.say(words, mayUndo ? { label: t("app.undo"), run: () => void bringBack(trash) } : undefined, shown);
}

/** What is deleted in one step each: as much as the server takes; one where it takes but one. */
function stepsOf(entries: readonly Entry[]): Entry[][] {
  const size = session.may("/api/delete") ? REMOVED_AT_ONCE : 1;
  const count = Math.ceil(entries.length / size);
  return Array.from({ length: count }, (_, at) => entries.slice(at * size, (at + 1) * size));
}

/** Deletes some, all of them or none. */
async function removeGroup(folder: string, entries: readonly Entry[], isPermanent: boolean): Promise<Done> {
  try {
    return await removeOnce(folder, entries, isPermanent);
  } catch (cause) {
    if (!(cause instanceof Problem && cause.kind === "missing")) throw cause;
    // Somebody else was quicker with some of them: those are as wanted.
    const there = entries.length === 1 ? new Set<string>() : await pathsBeside(folder, entries);
    const left = entries.filter((entry) => there.has(joinPath(folder, entry.name)));
    if (left.length === entries.length) throw cause;
    return left.length === 0 ? { paths: [], trash: [], isPermanent } : removeOnce(folder, left, isPermanent);
  }
}

/** What there is in the folders of these entries: a name may be told from further up. */
async function pathsBeside(folder: string, entries: readonly Entry[]): Promise<Set<string>> {
  const folders = new Set(entries.map((entry) => parentOf(joinPath(folder, entry.name))));
  const paths = new Set<string>();
  for (const one of folders) for (const { name } of await listFolder(one)) paths.add(joinPath(one, name));
  return paths;
}

async function removeOnce(folder: string, entries: readonly Entry[], isPermanent: boolean): Promise<Done> {
  const [one] = entries;
  const paths = entries.map((entry) => joinPath(folder, entry.name));
  // Into the trash is one step, whatever its size; only for good is work that lasts.
  const hasFolder = entries.some((entry) => entry.type === "folder");
  const how = { isPermanent, isJob: isPermanent && hasFolder && session.may("/api/jobs") };
  const isTogether = session.may("/api/delete");
  const answer = await (isTogether ? removeAll(paths, how) : remove(paths[0] ?? "", one?.type ?? "file", how));
  const label =
    entries.length === 1 ? t("jobs.delete", { name: readable(one?.name ?? "") }) : plural("jobs.deleteMany", entries.length);
  return finish(answer, label);
}

/** Says why these are still there. */
function sayLeft(left: readonly Entry[], failure: unknown): void {
  if (failure instanceof JobCancelled) toasts.say(t("delete.cancelled"));
  else if (left.length === 1 || leftBecause(failure)) complain(failure);
  else toasts.complain(`${plural("delete.failedMany", left.length)} ${describe(failure)}`);
}

/** Takes things out of the trash again. */
async function bringBack(ids: readonly string[]): Promise<void> {
  try {
    toasts.say(plural("trash.restored", (await restore(ids)).length));
  } catch (cause) {
    complain(cause);
  }
  listing.refresh();
}

/** Moves or copies into a folder; asks once where names are taken. Says whether it was done. */
export async function transferAll(kind: "move" | "copy", paths: readonly string[], to: string): Promise<boolean> {
  const wanted = kind === "move" ? paths.filter((path) => parentOf(path) !== to) : paths;
  if (wanted.length === 0) return false;
  if (wanted.some((path) => isWithin(to, path))) {
    toasts.complain(t("move.intoItself"));
    return false;
  }
  try {
    const moved = await transferAsking(kind, wanted, to);
    if (moved.count === 0) return false;
    const name = readable(nameOf(moved.paths?.[0] ?? wanted[0] ?? ""));
    const folder = readable(nameOf(to)) || t("files.title");
    const words =
      kind === "move"
        ? moved.count === 1 ? t("move.done", { name, folder }) : plural("move.doneMany", moved.count)
        : moved.count === 1 ? t("copy.done", { name, folder }) : plural("copy.doneMany", moved.count);
    const back = parentOf(wanted[0] ?? "");
    const mayUndo =
      kind === "move" && moved.paths !== undefined && wanted.every((path) => parentOf(path) === back);
    toasts.say(words, mayUndo ? { label: t("app.undo"), run: () => void undoMove(moved, back) } : undefined);
    return true;
  } catch (cause) {
    complain(cause);
    return false;
  } finally {
    listing.refresh();
  }
}

/** Moves things back to where they came from, under the names they had, then puts what they had replaced in its place. */
async function undoMove({ from, paths, trash }: Transferred, back: string): Promise<void> {
  if (paths === undefined || paths.length === 0) return;
  try {
    const places = (await send("move", paths, back, "rename")).paths ?? [];
    listing.takeAway(paths);
    await nameAsBefore(back, places, from);
    const folder = readable(nameOf(back)) || t("files.title");
    const name = readable(nameOf(from[0] ?? ""));
    toasts.say(paths.length === 1 ? t("move.done", { name, folder }) : plural("move.doneMany", paths.length));
  } catch (cause) {
    complain(cause);
    return;
  } finally {
    listing.refresh();
  }
  if (trash.length > 0 && session.may("/api/trash/restore")) await bringBack(trash);
}

/** Gives things in a folder their former names, as far as these are free: where two of one name met, one has another. */
async function nameAsBefore(folder: string, places: readonly string[], from: readonly string[]): Promise<void> {
  const isAsBefore = (place: string, at: number) => nameOf(place) === nameOf(from[at] ?? place);
  if (places.every(isAsBefore)) return;
  const there = await entriesIn(folder);
  for (const [at, place] of places.entries()) {
    const [name, before] = [nameOf(place), nameOf(from[at] ?? place)];
    const entry = there.get(name);
    if (!entry || there.has(before)) continue;
    await rename(folder, entry, before);
    there.delete(name);
    there.set(before, entry);
  }
}

/** What became of things that were moved or copied. */
interface Transferred {
  count: number;
  /** Where they were, in the order of `paths`. */
  from: string[];
  /** Where they are now; `undefined` where nobody told. */
  paths: string[] | undefined;
  /** Under which ids the trash has what they replaced. */
  trash: string[];
}

/** Does it, in as many questions to the server as there are answers to collisions. */
async function transferAsking(
  kind: "move" | "copy",
  paths: readonly string[],
  to: string,
): Promise<Transferred> {
  const there = await entriesIn(to);
  // A copy beside itself is meant to be one more.
  const isBeside = (path: string) => kind === "copy" && parentOf(path) === to;
  const batch: Batch = {
    open: new Set(paths.filter((path) => there.has(nameOf(path)) && !isBeside(path))),
  };
  const ask = (path: string) => {
    const [name, met] = [nameOf(path), there.get(nameOf(path))];
    const own = parentOf(path) === listing.shownPath ? listing.find(name) : undefined;
    return collisions.choose(path, batch, { name, brought: own && sideOf(own), there: met && sideOf(met) });
  };
  const groups: Record<IfExists, string[]> = { error: [], overwrite: [], rename: [] };
  for (const path of paths) {
    if (!there.has(nameOf(path))) groups.error.push(path);
    else if (isBeside(path)) groups.rename.push(path);
    else {
      const choice = await ask(path);
      if (choice !== "skip") groups[choice].push(path);
    }
  }
  const done: Transferred = { count: 0, from: [], paths: [], trash: [] };
  const note = (some: readonly string[], { paths, trash }: Done) => {
    if (kind === "move") listing.takeAway(some);
    done.count += some.length;
    done.from.push(...some);
    done.paths = paths && done.paths ? [...done.paths, ...paths] : undefined;
    done.trash.push(...trash);
  };
  for (const ifExists of ["error", "overwrite", "rename"] as const) {
    const group = groups[ifExists];
    if (group.length === 0) continue;
    try {
      note(group, await send(kind, group, to, ifExists));
    } catch (cause) {
      if (!isTakenAfterAll(cause)) throw cause;
      // Somebody else was quicker, or the folder may not be listed.
      batch.open.add(group[0] ?? "");
      const choice = await ask(group[0] ?? "");
      if (choice !== "skip") note(group, await send(kind, group, to, choice));
    }
  }
  return done;
}

async function send(
  kind: "move" | "copy",
  paths: readonly string[],
  to: string,
  ifExists: IfExists,
): Promise<Done> {
  const answer = await transfer(kind, paths, to, ifExists, session.may("/api/jobs"));
  const name = readable(nameOf(paths[0] ?? ""));
  const isOne = paths.length === 1;
  const label =
    kind === "move"
      ? isOne ? t("jobs.move", { name }) : plural("jobs.moveMany", paths.length)
      : isOne ? t("jobs.copy", { name }) : plural("jobs.copyMany", paths.length);
  const done = await finish(answer, label);
  // A job of very much does not tell where things went; only where both are kept is that another name.
  if (done.paths === undefined && ifExists !== "rename") {
    return { ...done, paths: paths.map((path) => joinPath(to, nameOf(path))) };
  }
  return done;
}

/** Waits for what goes on as a job. */
async function finish(answer: Started, label: string): Promise<Done> {
  if ("job" in answer) {
    const { trash, paths } = await jobs.follow(answer.job, label);
    return { paths, trash, isPermanent: false };
  }
  const paths = "paths" in answer ? answer.paths : undefined;
  return { paths, trash: answer.trash, isPermanent: "permanent" in answer && answer.permanent === true };
}

function isTakenAfterAll(cause: unknown): boolean {
  return cause instanceof Problem && cause.kind === "collision";
}

/**
 * What is in a folder, by name; nothing where it may not be listed. The folder on show is asked for too: its list may
 * be seconds old, and who takes a move back at once would be asked about names that are free again.
 */
async function entriesIn(folder: string): Promise<Map<string, Entry>> {
  try {
    return new Map((await listFolder(folder)).map((entry) => [entry.name, entry]));
  } catch {
    return new Map();
  }
}

/** An entry as one of two that want the same name. */
export function sideOf({ type, size, modified, mime, etag }: Entry): Side {
  return { size: type === "folder" ? undefined : size, modified, mime, etag };
}

/** Gives an entry of the folder on show another name; what fails is undone and said. */
export async function renameEntry(folder: string, entry: Entry, name: string): Promise<void> {
  listing.showRenamed(entry.name, name);
  try {
    await rename(folder, entry, name);
  } catch (cause) {
    if (folder === listing.shownPath) listing.showRenamed(name, entry.name);
    throw cause;
  } finally {
    listing.refresh();
  }
}

/** Says what went wrong, unless the reader did it or the page is leaving. */
export function complain(cause: unknown): void {
  if (leftBecause(cause)) return;
  if (cause instanceof JobCancelled) return toasts.say(t("jobs.cancelled"));
  toasts.complain(describe(cause));
}
