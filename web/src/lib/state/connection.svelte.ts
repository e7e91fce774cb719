// Whether the server can be reached. While it cannot, keeps asking, and tells when it is back.
import { hooks, isUp } from "../api/http.ts";
import { waitAfter, wakeAll } from "./retry.ts";

class Connection {
  isAway = $state(false);
  #listeners = new Set<() => void>();
  #isAsking = false;

  start(): void {
    hooks.onReach = (isThere) => (isThere ? this.#back() : this.#lost());
    window.addEventListener("online", () => void this.#ask());
    window.addEventListener("offline", () => this.#lost());
  }

  /** Calls `action` each time the server is back; returns the way to stop. */
  onBack(action: () => void): () => void {
    this.#listeners.add(action);
    return () => this.#listeners.delete(action);
  }

  #lost(): void {
    this.isAway = true;
    void this.#ask();
  }

  #back(): void {
    if (!this.isAway) return;
    this.isAway = false;
    wakeAll();
    for (const listener of this.#listeners) listener();
  }

  async #ask(): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    for (let attempt = 0; this.isAway; attempt += 1) {
      await new Promise((resolve) => setTimeout(resolve, waitAfter(Math.min(attempt, 3)) * 1000));
      if (this.isAway && (await isUp())) this.#back();
    }
    this.#isAsking = false;
  }
}

export const connection = new Connection();
