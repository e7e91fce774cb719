// The folder on show: its entries in order, or why there are none.
import { listFolder } from "../api/files.ts";
import { Problem, type ProblemKind } from "../api/problem.ts";
import type { Entry } from "../api/types.ts";
import { areListed } from "./home.ts";
import { keep, readKept } from "./keep.ts";
import { type Layout, Layouts } from "./layouts.ts";
import { joinPath, parentOf } from "./paths.ts";
import { keepTrying } from "./retry.ts";
import { Selection } from "./selection.svelte.ts";
import { leftBecause, session } from "./session.svelte.ts";
import { nextSorting, readSorting, type SortKey, sortEntries, writeSorting } from "./sort.ts";
import { locale } from "./texts.svelte.ts";
import { readable } from "./rawNames.ts";

/** What takes less than this gets no sign of waiting (ms). */
const SLOW_AFTER_MS = 200;
/** How long changes are gathered before the folder is asked for again (ms). */
const REFRESH_AFTER_MS = 150;
/** A folder that takes long to list is asked for less often: so many times as long passes between, and no more (ms). */
const REST_FACTOR = 8;
const REST_MS_MAX = 3000;

/** How many sizes of tiles there are, and the usual one. */
export const TILE_SIZES = 6;
const TILE_SIZE_USUAL = 2;

function readTileSize(): number {
  const kept = Number(readKept("tiles") ?? NaN);
  return Number.isInteger(kept) && kept >= 0 && kept < TILE_SIZES ? kept : TILE_SIZE_USUAL;
}

class Listing {
  /** The folder asked for, which the address names. */
  path = $state("");
  /** The folder whose entries are on show; differs from `path` while a new one is on its way. */
  shownPath = $state("");
  /** Why there is nothing to show; `undefined` when there is. */
  problem = $state<ProblemKind>();
  /** What was asked for is a file. */
  isFile = false;
  /** Nothing has been answered yet, neither entries nor a problem. */
  isFirst = $state(true);
  /** The answer takes so long that the page should say so. */
  isSlow = $state(false);
  sorting = $state.raw(readSorting(readKept("sorting")));
  layout = $state<Layout>("list");
  /** How wide tiles are, counted from the smallest. */
  tileSize = $state(readTileSize());
  isHiddenShown = $state(readKept("hidden") === "yes");
  filter = $state("");
  /** Every entry of the folder, as the server told. */
  all = $state.raw<readonly Entry[]>([]);
  #sorted = $derived(sortEntries(this.all, this.sorting, locale()));
  /** What is on show, in order. */
  entries = $derived(keepWanted(this.#sorted, this.filter, this.isHiddenShown));
  names = $derived(this.entries.map((entry) => entry.name));
  selection = new Selection(() => this.names);
  /** The entries that are selected, in order. */
  selected = $derived(this.entries.filter((entry) => this.selection.names.has(entry.name)));
  #running = new AbortController();
  #willRefresh = false;
  /** How long the last answer took to come and be shown, and when that was (ms). */
  #last = { costMs: 0, atMs: -Infinity };
  /** Paths that are being deleted: off the list at once, whatever answers say meanwhile. */
  #leaving = new Set<string>();

  /** Shows a folder. Resolves when it, or what is wrong with it, is on show. */
  async open(path: string): Promise<void> {
    if (session.placeOf(path) !== this.path || this.isFirst) {
      this.filter = "";
      this.selection.reset();
    }
    this.path = session.placeOf(path);
    this.isFile = false;
    await this.reload();
  }

  /** Asks again for the folder on show. What is on show stays until there is an answer. */
  async reload(): Promise<void> {
    this.#running.abort();
    const running = (this.#running = new AbortController());
    const timer = setTimeout(() => (this.isSlow = true), SLOW_AFTER_MS);
    let began = 0;
    const ask = async () => {
      began = performance.now();
      const [entries] = await Promise.all([
        listFolder(this.path, running.signal),
        session.load(running.signal),
      ]);
      // Only now it is known who asks.
      const place = session.placeOf(this.path);
      if (place === "" && areListed(session.homes)) return listHomes(session.homes, running.signal);
      if (place === this.path) return entries;
      this.path = place;
      return listFolder(place, running.signal);
    };
    const settle = (entries: readonly Entry[], problem?: ProblemKind) => {
      clearTimeout(timer);
      this.isSlow = false;
      this.isFirst = false;
      this.shownPath = this.path;
      this.all = entries.filter((entry) => !this.#leaving.has(joinPath(this.path, entry.name)));
      this.problem = problem;
      if (problem === undefined) this.layout = layouts.of(this.path, keepWanted(this.all, "", this.isHiddenShown));
      this.selection.prune();
    };
    const onPassing = (problem: Problem) => {
      clearTimeout(timer);
      this.isSlow = false;
      // What was there before the server went is still worth looking at; a banner says so.
      const isKept = problem.kind === "away" && !this.isFirst && this.shownPath === this.path;
      if (!isKept || this.problem !== undefined) settle([], problem.kind);
    };
    try {
      settle(await keepTrying(ask, onPassing, running.signal));
      this.#last = { costMs: performance.now() - began, atMs: performance.now() };
    } catch (cause) {
      // A newer question took over; it sets what is on show.
      if (running.signal.aborted) return;
      if (leftBecause(cause)) return;
      this.isFile = cause instanceof Problem && cause.code === "not_a_folder";
      settle([], cause instanceof Problem ? cause.kind : "fault");
    } finally {
      clearTimeout(timer);
    }
  }

  /** Asks again soon: many changes in a row (an upload of a thousand files) are one question. */
  refresh(): void {
    if (this.#willRefresh) return;
    this.#willRefresh = true;
    const { costMs, atMs } = this.#last;
    const restMs = atMs + Math.min(costMs * REST_FACTOR, REST_MS_MAX) - performance.now();
    setTimeout(() => {
      this.#willRefresh = false;
      void this.reload();
    }, Math.max(REFRESH_AFTER_MS, restMs));
  }

  sortBy(key: SortKey): void {
    this.sorting = nextSorting(this.sorting, key);
    keep("sorting", writeSorting(this.sorting));
  }

  layOut(layout: Layout): void {
    this.layout = layout;
    layouts.keep(this.path, layout);
  }

  /** Tiles larger or smaller. */
  sizeTiles(size: number): void {
    this.tileSize = Math.min(TILE_SIZES - 1, Math.max(0, size));
    keep("tiles", String(this.tileSize));
  }

  showHidden(isShown: boolean): void {
    this.isHiddenShown = isShown;
    keep("hidden", isShown ? "yes" : "no");
    this.selection.prune();
  }

  find(name: string): Entry | undefined {
    return this.all.find((entry) => entry.name === name);
  }

  /** Shows a new name before the server has said yes; the next answer has the truth. */
  showRenamed(from: string, to: string): void {
    // An answer that is on its way knows the old name only, and would take the selection with it.
    if (this.path === this.shownPath) this.#running.abort();
    this.all = this.all.map((entry) => (entry.name === from ? { ...entry, name: to } : entry));
    this.selection.rename(from, to);
  }

  /** Takes entries of a folder off the list before the server has said yes. `bringBack` ends that. */
  takeOff(folder: string, entries: readonly Entry[]): void {
    for (const { name } of entries) this.#leaving.add(joinPath(folder, name));
    if (folder !== this.shownPath) return;
    const names = new Set(entries.map((entry) => entry.name));
    const at = this.entries.findIndex((entry) => names.has(entry.name));
    this.all = this.all.filter((entry) => !names.has(entry.name));
    this.selection.prune();
    // The cursor goes to what moved up into the place.
    const next = this.entries[Math.min(Math.max(at, 0), this.entries.length - 1)];
    this.selection.cursor = next?.name ?? "";
  }

  /** Takes off what has gone elsewhere: the next answer, which has the truth, may be seconds away. */
  takeAway(paths: readonly string[]): void {
    // An answer that is on its way still has them.
    if (this.path === this.shownPath) this.#running.abort();
    const gone = new Set(paths);
    this.all = this.all.filter((entry) => !gone.has(joinPath(this.shownPath, entry.name)));
    this.selection.prune();
  }

  /** What was taken off is decided: `left` are those that are there after all. */
  bringBack(folder: string, entries: readonly Entry[], left: readonly Entry[]): void {
    for (const { name } of entries) this.#leaving.delete(joinPath(folder, name));
    if (folder !== this.shownPath) return;
    const there = new Set(this.all.map((entry) => entry.name));
    this.all = [...this.all, ...left.filter((entry) => !there.has(entry.name))];
  }
}

/** Folders that lie here and there, as entries of the place above all; those that are gone are left out. */
async function listHomes(homes: readonly string[], signal: AbortSignal): Promise<Entry[]> {
  const parents = [...new Set(homes.map(parentOf))];
  const lists = await Promise.all(
    parents.map(async (parent) => {
      const entries = await listFolder(parent, signal).catch((cause: unknown) => {
        if (cause instanceof Problem && cause.kind === "missing") return [];
        throw cause;
      });
      // Named by the whole way, they stay apart, and lead where they are. They keep their names.
      return entries.map((entry) =>
        parent === "" ? entry : { ...entry, name: joinPath(parent, entry.name), writable: false },
      );
    }),
  );
  const wanted = new Set(homes);
  return lists.flat().filter((entry) => wanted.has(entry.name));
}

/** The entries that a filter and the wish for hidden ones leave. */
export function keepWanted(
  entries: readonly Entry[],
  filter: string,
  isHiddenShown: boolean,
): readonly Entry[] {
  const wanted = fold(filter.trim());
  if (wanted === "" && isHiddenShown) return entries;
  return entries.filter(
    (entry) =>
      (isHiddenShown || !entry.name.startsWith(".")) &&
      (wanted === "" || fold(readable(entry.name)).includes(wanted)),
  );
}

/** A text without case and accents: whoever types `uber` finds `Über`. */
function fold(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLocaleLowerCase();
}

/** How folders are laid out, as chosen in this browser. */
const layouts = new Layouts();

export const listing = new Listing();
