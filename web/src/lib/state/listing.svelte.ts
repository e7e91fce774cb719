// The folder on show: its entries in order, or why there are none.
import { listFolder } from "../api/files.ts";
import { Problem, type ProblemKind } from "../api/problem.ts";
import type { Entry } from "../api/types.ts";
import { keepTrying } from "./retry.ts";
import { leftBecause, session } from "./session.svelte.ts";
import { nextSorting, type SortKey, SORTING_AT_FIRST, sortEntries } from "./sort.ts";
import { locale } from "./texts.svelte.ts";

/** What takes less than this gets no sign of waiting (ms). */
const SLOW_AFTER_MS = 200;
/** How long changes are gathered before the folder is asked for again (ms). */
const REFRESH_AFTER_MS = 150;

class Listing {
  /** The folder asked for, which the address names. */
  path = $state("");
  /** The folder whose entries are on show; differs from `path` while a new one is on its way. */
  shownPath = $state("");
  /** Why there is nothing to show; `undefined` when there is. */
  problem = $state<ProblemKind>();
  /** Nothing has been answered yet, neither entries nor a problem. */
  isFirst = $state(true);
  /** The answer takes so long that the page should say so. */
  isSlow = $state(false);
  sorting = $state(SORTING_AT_FIRST);
  #unordered = $state.raw<Entry[]>([]);
  entries = $derived(sortEntries(this.#unordered, this.sorting, locale()));
  #running = new AbortController();
  #willRefresh = false;

  /** Shows a folder. Resolves when it, or what is wrong with it, is on show. */
  async open(path: string): Promise<void> {
    this.path = path;
    await this.reload();
  }

  /** Asks again for the folder on show. */
  async reload(): Promise<void> {
    this.#running.abort();
    const running = (this.#running = new AbortController());
    const timer = setTimeout(() => (this.isSlow = true), SLOW_AFTER_MS);
    const ask = async () => {
      const [entries] = await Promise.all([
        listFolder(this.path, running.signal),
        session.load(running.signal),
      ]);
      return entries;
    };
    const settle = (entries: Entry[], problem?: ProblemKind) => {
      clearTimeout(timer);
      this.isSlow = false;
      this.isFirst = false;
      this.shownPath = this.path;
      this.#unordered = entries;
      this.problem = problem;
    };
    try {
      settle(await keepTrying(ask, (problem) => settle([], problem.kind), running.signal));
    } catch (cause) {
      // A newer question took over; it sets what is on show.
      if (running.signal.aborted) return;
      if (leftBecause(cause)) return;
      settle([], cause instanceof Problem ? cause.kind : "fault");
    } finally {
      clearTimeout(timer);
    }
  }

  /** Asks again soon: many changes in a row (an upload of a thousand files) are one question. */
  refresh(): void {
    if (this.#willRefresh) return;
    this.#willRefresh = true;
    setTimeout(() => {
      this.#willRefresh = false;
      void this.reload();
    }, REFRESH_AFTER_MS);
  }

  sortBy(key: SortKey): void {
    this.sorting = nextSorting(this.sorting, key);
  }
}

export const listing = new Listing();
