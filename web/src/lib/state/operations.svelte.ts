// What is done to files and folders: delete, move, copy, restore; with collisions asked, long work
// followed, and a way back offered.
import { listFolder, listTrash, remove, rename, restore, type Started, transfer } from "../api/files.ts";
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

/** Deletions sent at once: the server syncs each; a few keep it busy. */
const DELETIONS_AT_ONCE = 4;

/** Deletes entries of a folder. What fails is back on the list and said. */
export async function removeEntries(
  folder: string,
  entries: readonly Entry[],
  isPermanent: boolean,
): Promise<void> {
  const before = session.may("/api/trash") && !isPermanent ? await trashIds() : undefined;
  listing.takeOff(folder, entries);
  const waiting = [...entries];
  const done = new Set<Entry>();
  let failure: unknown;
  let isOver = false;
  let isAllPermanent = isPermanent;
  const work = async () => {
    for (let entry = waiting.shift(); entry && !isOver; entry = waiting.shift()) {
      try {
        if (await removeOne(folder, entry, isPermanent)) isAllPermanent = true;
        done.add(entry);
      } catch (cause) {
        failure ??= cause;
        // The rest would fail the same way, or is called off with this.
        if (isPassing(cause) || leftBecause(cause) || cause instanceof JobCancelled) isOver = true;
      }
    }
  };
  // What takes a job each has only so many of them.
  await Promise.all(Array.from({ length: isPermanent ? 1 : DELETIONS_AT_ONCE }, work));
  const left = entries.filter((entry) => !done.has(entry));
  listing.bringBack(folder, entries, left);
  if (failure !== undefined) {
    if (failure instanceof JobCancelled) toasts.say(t("delete.cancelled"));
    else if (left.length === 1 || leftBecause(failure)) complain(failure);
    else toasts.complain(`${plural("delete.failedMany", left.length)} ${describe(failure)}`);
  }
  listing.refresh();
  const [first] = done;
  if (!first) return;
  const words =
    done.size === 1 ? t("delete.done", { name: first.name }) : plural("delete.doneMany", done.size);
  if (isAllPermanent || !before || !session.may("/api/trash/restore")) return toasts.say(words);
  const paths = new Set([...done].map((entry) => joinPath(folder, entry.name)));
  toasts.say(words, { label: t("app.undo"), run: () => void undoRemove(paths, before) });
}

/** Deletes one; says whether it is gone for good. */
async function removeOne(folder: string, entry: Entry, isPermanent: boolean): Promise<boolean> {
  const path = joinPath(folder, entry.name);
  // Into the trash is one step, whatever its size; only for good is work that lasts.
  const isJob = isPermanent && entry.type === "folder" && session.may("/api/jobs");
  try {
    const answer = await remove(path, entry.type, isPermanent, isJob);
    await finish(answer, t("jobs.delete", { name: entry.name }));
    return isPermanent || answer.permanent === true;
  } catch (cause) {
    // Somebody else was quicker: it is as wanted.
    if (cause instanceof Problem && cause.kind === "missing") return isPermanent;
    throw cause;
  }
}

/** The ids of all that lies in the trash; `undefined` when that cannot be known. */
async function trashIds(): Promise<Set<string> | undefined> {
  try {
    return new Set((await listTrash()).map((item) => String(item.id)));
  } catch {
    return undefined;
  }
}

async function undoRemove(paths: ReadonlySet<string>, before: ReadonlySet<string>): Promise<void> {
  try {
    const now = await listTrash();
    const ours = now.filter(
      (item) => paths.has(item.path) && item.reason === "deleted" && !before.has(String(item.id)),
    );
    await restore(ours.map((item) => item.id));
    toasts.say(plural("trash.restored", ours.length));
  } catch (cause) {
    complain(cause);
  }
  listing.refresh();
}

/** Moves or copies into a folder; asks once where names are taken. Says whether it was done. */
export async function transferAll(
  kind: "move" | "copy",
  paths: readonly string[],
  to: string,
  isUndo = false,
): Promise<boolean> {
  const wanted = kind === "move" ? paths.filter((path) => parentOf(path) !== to) : paths;
  if (wanted.length === 0) return false;
  if (wanted.some((path) => isWithin(to, path))) {
    toasts.complain(t("move.intoItself"));
    return false;
  }
  try {
    const moved = await transferAsking(kind, wanted, to);
    if (moved.length === 0) return false;
    const name = nameOf(moved[0] ?? "");
    const folder = nameOf(to) || t("files.title");
    const words =
      kind === "move"
        ? moved.length === 1 ? t("move.done", { name, folder }) : plural("move.doneMany", moved.length)
        : moved.length === 1 ? t("copy.done", { name, folder }) : plural("copy.doneMany", moved.length);
    const back = parentOf(wanted[0] ?? "");
    const mayUndo = kind === "move" && !isUndo && wanted.every((path) => parentOf(path) === back);
    const run = () => void transferAll("move", moved, back, true);
    toasts.say(words, mayUndo ? { label: t("app.undo"), run } : undefined);
    return true;
  } catch (cause) {
    complain(cause);
    return false;
  } finally {
    listing.refresh();
  }
}

/** Does it, in as many questions to the server as there are answers to collisions. */
async function transferAsking(
  kind: "move" | "copy",
  paths: readonly string[],
  to: string,
): Promise<string[]> {
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
  const done: string[] = [];
  for (const ifExists of ["error", "overwrite", "rename"] as const) {
    const group = groups[ifExists];
    if (group.length === 0) continue;
    try {
      done.push(...(await send(kind, group, to, ifExists)));
    } catch (cause) {
      if (!isTakenAfterAll(cause)) throw cause;
      // Somebody else was quicker, or the folder may not be listed.
      batch.open.add(group[0] ?? "");
      const choice = await ask(group[0] ?? "");
      if (choice !== "skip") done.push(...(await send(kind, group, to, choice)));
    }
  }
  return done;
}

async function send(
  kind: "move" | "copy",
  paths: readonly string[],
  to: string,
  ifExists: IfExists,
): Promise<string[]> {
  const answer = await transfer(kind, paths, to, ifExists, session.may("/api/jobs"));
  const name = nameOf(paths[0] ?? "");
  const isOne = paths.length === 1;
  const label =
    kind === "move"
      ? isOne ? t("jobs.move", { name }) : plural("jobs.moveMany", paths.length)
      : isOne ? t("jobs.copy", { name }) : plural("jobs.copyMany", paths.length);
  await finish(answer, label);
  return answer.paths ?? paths.map((path) => joinPath(to, nameOf(path)));
}

/** Waits for what goes on as a job. */
async function finish(answer: Started, label: string): Promise<void> {
  if (answer.job !== undefined) await jobs.follow(String(answer.job), label);
}

function isTakenAfterAll(cause: unknown): boolean {
  return cause instanceof Problem && cause.kind === "collision";
}

/** What is in a folder, by name; nothing where it may not be listed. */
async function entriesIn(folder: string): Promise<Map<string, Entry>> {
  const byName = (entries: readonly Entry[]) => new Map(entries.map((entry) => [entry.name, entry]));
  if (folder === listing.shownPath && listing.problem === undefined) return byName(listing.all);
  try {
    return byName(await listFolder(folder));
  } catch {
    return new Map();
  }
}

/** An entry as one of two that want the same name. */
export function sideOf({ type, size, modified }: Entry): Side {
  return { size: type === "folder" ? undefined : size, modified };
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
