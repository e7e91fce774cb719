// Hears of changes as they happen (Server-Sent Events), and asks now and then where it cannot.
import type { Job } from "../api/types.ts";
import { connection } from "./connection.svelte.ts";
import { jobs } from "./jobs.svelte.ts";
import { listing } from "./listing.svelte.ts";
import { isWithin, parentOf } from "./paths.ts";
import { session } from "./session.svelte.ts";

/** How often the folder on show is asked for where nobody tells of changes (ms). */
const ASK_EVERY_MS = 30_000;
/** How long to wait before listening again after a refusal (ms). */
const LISTEN_AGAIN_MS = 15_000;

/** What an event says beside its name. */
export type EventData = Record<string, unknown>;

class Events {
  isLive = $state(false);
  #source: EventSource | undefined;
  #listeners = new Set<(name: string, data: EventData) => void>();

  start(): void {
    this.#listen();
    connection.onBack(() => {
      this.#listen();
      listing.refresh();
    });
    setInterval(() => {
      if (!this.isLive && !document.hidden) listing.refresh();
    }, ASK_EVERY_MS);
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && !this.isLive) listing.refresh();
    });
  }

  /** Calls `action` for each event; returns the way to stop. */
  on(action: (name: string, data: EventData) => void): () => void {
    this.#listeners.add(action);
    return () => this.#listeners.delete(action);
  }

  #listen(): void {
    this.#source?.close();
    if (!session.may("/api/events")) return this.#tellLive(false);
    const source = (this.#source = new EventSource("/api/events"));
    source.onopen = () => {
      // Whatever happened while nobody listened.
      if (!this.isLive) listing.refresh();
      this.#tellLive(true);
    };
    source.onerror = () => {
      // Whoever only looks should hear, too, that the server is gone.
      if (this.isLive) listing.refresh();
      this.#tellLive(false);
      // The browser tries again by itself after a break, but not after a refusal.
      if (source.readyState === EventSource.CLOSED) {
        setTimeout(() => {
          if (this.#source === source) this.#listen();
        }, LISTEN_AGAIN_MS);
      }
    };
    for (const name of ["change", "job", "resources"]) {
      source.addEventListener(name, (event: MessageEvent) => this.#hear(name, event.data));
    }
  }

  #tellLive(isLive: boolean): void {
    this.isLive = isLive;
    if (session.may("/api/jobs")) jobs.setLive(isLive);
  }

  #hear(name: string, text: unknown): void {
    const data = readData(text);
    const isDeep = data["deep"] === true;
    if (name === "change" && concerns(String(data["path"] ?? ""), listing.shownPath, isDeep)) {
      listing.refresh();
    }
    if (name === "job") {
      const job = readJob(data);
      if (job) jobs.told(job);
    }
    for (const listener of this.#listeners) listener(name, data);
  }
}

export const events = new Events();

/** The object in an event's text; an empty one when there is none. */
export function readData(text: unknown): EventData {
  try {
    const data: unknown = JSON.parse(String(text));
    return typeof data === "object" && data !== null ? (data as EventData) : {};
  } catch {
    return {};
  }
}

/** The piece of work that an event tells of; `undefined` where it tells of none. */
export function readJob(data: EventData): Job | undefined {
  // An event carries what the list of all has of it.
  return typeof data["id"] === "string" && typeof data["state"] === "string" ? (data as unknown as Job) : undefined;
}

/**
 * Whether a change at `path` is one of the folder on show: of itself or of what lies in it; where
 * `isDeep`, of anything below `path`.
 */
export function concerns(path: string, folder: string, isDeep = false): boolean {
  return (isDeep && isWithin(folder, path)) || path === folder || parentOf(path) === folder;
}
