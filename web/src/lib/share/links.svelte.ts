// One's own links, as far as every page wants to know of them: what has a sign that it is shared. Asked for once
// for a page, and again when something changes at a place that a link leads to.
import { type Link, type LinkId, listLinks, readAddress } from "../api/links.ts";
import { connection } from "../state/connection.svelte.ts";
import { events } from "../state/events.svelte.ts";
import { isWithin } from "../state/paths.ts";
import { session } from "../state/session.svelte.ts";

/** How long further changes are waited for before links are asked for again (ms): an upload makes many. */
const SETTLE_MS = 800;

/** Whether a link leads somebody somewhere. */
export function isOpen({ state }: Pick<Link, "state">): boolean {
  return state === "open" || state === "used_up";
}

/** Whether a change at `path` may be one of what a link tells: of what it leads to, or of where that is. */
export function concernsLink(path: string, link: Pick<Link, "path">): boolean {
  // Where it leads to is not told: anything may concern it.
  if (link.path === null) return true;
  return isWithin(path, link.path) || isWithin(link.path, path);
}

export class Links {
  /** `undefined` until they are there, and where one may have none. */
  all = $state.raw<readonly Link[]>();
  /** Where guests reach larder; "" until that is known, and then where this page does is the best guess. */
  origin = $state("");
  #shared = $derived(new Set((this.all ?? []).filter(isOpen).map(({ path }) => path)));
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Counts the questions: only the last one's answer is new. */
  #asked = 0;

  /** Asks for them, and from now on again when there is a reason to. */
  start(): void {
    if (!session.may("/api/link/create")) return;
    void this.refresh();
    connection.onBack(() => void this.refresh());
    events.on((name, data) => {
      const path = data["path"];
      if (name === "change" && typeof path === "string") this.#heard(path);
    });
  }

  /** Whether a link leads to just this. */
  isShared(path: string): boolean {
    return this.#shared.has(path);
  }

  /** The links that lead to just this, open or not. */
  at(path: string): readonly Link[] {
    return (this.all ?? []).filter((link) => link.path === path);
  }

  /** Asks for them again. What was known stays where there is no answer. */
  async refresh(): Promise<void> {
    await this.load().catch(() => undefined);
  }

  /** Asks for them again; throws where there is no answer. */
  async load(signal?: AbortSignal): Promise<readonly Link[]> {
    clearTimeout(this.#timer);
    const asked = (this.#asked += 1);
    const all = await listLinks(false, signal);
    if (asked === this.#asked) this.all = all;
    return all;
  }

  /** Learns where guests reach larder, by one of one's own links; once is enough for a page. */
  async learnOrigin(id: LinkId): Promise<void> {
    if (this.origin !== "") return;
    const address = await readAddress(id).catch(() => "");
    if (URL.canParse(address)) this.origin = new URL(address).origin;
  }

  #heard(path: string): void {
    if (!this.all?.some((link) => concernsLink(path, link))) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.refresh(), SETTLE_MS);
  }
}

export const links = new Links();
