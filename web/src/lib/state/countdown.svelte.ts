// Seconds that pass, for a reader who has to wait.

const SECOND_MS = 1000;

export class Countdown {
  /** Whole seconds left; 0 when the wait is over. */
  seconds = $state(0);
  #timer: ReturnType<typeof setInterval> | undefined;

  start(seconds: number): void {
    this.stop();
    // By the clock, not by counting ticks: a tab in the background gets few of them.
    const end = Date.now() + seconds * SECOND_MS;
    this.seconds = Math.ceil(seconds);
    this.#timer = setInterval(() => {
      this.seconds = Math.max(0, Math.ceil((end - Date.now()) / SECOND_MS));
      if (this.seconds === 0) this.stop();
    }, SECOND_MS / 4);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.seconds = 0;
  }
}
