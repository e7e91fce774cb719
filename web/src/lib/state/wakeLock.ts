// Keeps the screen on while something is under way: a phone that sleeps sends nothing. Only where the page
// came safely (HTTPS); whatever refuses it costs no more than that.

export class WakeLock {
  #count = 0;
  #lock: WakeLockSentinel | undefined;
  #isWatching = false;

  /** Wants the screen on, until the returned function is called. */
  hold(): () => void {
    this.#count += 1;
    if (this.#count === 1) void this.#take();
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#count -= 1;
      if (this.#count === 0) this.#letGo();
    };
  }

  async #take(): Promise<void> {
    const { navigator } = globalThis as { navigator?: { wakeLock?: globalThis.WakeLock } };
    const wakeLock = navigator?.wakeLock;
    if (!wakeLock) return;
    this.#watch();
    try {
      const lock = await wakeLock.request("screen");
      if (this.#count === 0) return void lock.release();
      // Wanted again before the first was granted: one is enough.
      this.#letGo();
      this.#lock = lock;
    } catch {
      // A low battery, or a page that is out of sight.
    }
  }

  /** The browser takes it away whenever the page is out of sight. */
  #watch(): void {
    if (this.#isWatching) return;
    this.#isWatching = true;
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && this.#count > 0) void this.#take();
    });
  }

  #letGo(): void {
    void this.#lock?.release().catch(() => undefined);
    this.#lock = undefined;
  }
}

export const wakeLock = new WakeLock();
