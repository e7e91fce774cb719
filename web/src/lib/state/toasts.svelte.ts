// Short messages that come and go at the foot of the page.

/** How long a message stays (ms): long enough to be read twice, or to think better of it. */
const STAY_MS = 6000;
const STAY_TO_UNDO_MS = 12_000;
/** How often the time that is left is looked at (ms). On a page that is too busy to be used, less of it passes. */
const TICK_MS = 500;
/** How long a message waits at most for what it tells of to be on show (ms). */
const SHOWN_MS_MAX = 60_000;

/** What a message offers to do. */
export interface ToastAction {
  label: string;
  run: () => void;
}

interface Toast {
  id: number;
  text: string;
  isError: boolean;
  action: ToastAction | undefined;
  /** How long it stays from now on (ms); for ever until what it tells of is on show. */
  leftMs: number;
}

/** Where messages can be shown. */
export interface ToastPlace {
  /** Whether somebody is at a message, or nobody can be at any: time stands still meanwhile. */
  isHeld: () => boolean;
}

export class Toasts {
  all = $state.raw<readonly Toast[]>([]);
  /** Only the last place shows them, which covers the others. */
  places = $state.raw<readonly ToastPlace[]>([]);
  #nextId = 1;
  #clock: ReturnType<typeof setInterval> | undefined;

  /** Shows messages at another place; returns the way to stop. */
  showAt(place: ToastPlace): () => void {
    this.places = [...this.places, place];
    return () => (this.places = this.places.filter((one) => one !== place));
  }

  /** `shown`: when what it tells of is on show; its time begins then, so that nobody takes back what they have not seen. */
  say(text: string, action?: ToastAction, shown?: Promise<unknown>): void {
    this.#add(text, false, action, shown);
  }

  complain(text: string): void {
    this.#add(text, true);
  }

  dismiss(id: number): void {
    this.all = this.all.filter((toast) => toast.id !== id);
  }

  #add(text: string, isError: boolean, action?: ToastAction, shown?: Promise<unknown>): void {
    const stayMs = action ? STAY_TO_UNDO_MS : STAY_MS;
    const toast: Toast = { id: this.#nextId++, text, isError, action, leftMs: shown ? Infinity : stayMs };
    // A complaint that is there already is not said twice.
    const others = isError ? this.all.filter((one) => one.text !== text) : this.all;
    this.all = [...others.slice(-3), toast];
    this.#clock ??= setInterval(() => this.#tick(), TICK_MS);
    if (!shown) return;
    const start = () => (toast.leftMs = Math.min(toast.leftMs, stayMs));
    const timer = setTimeout(start, SHOWN_MS_MAX);
    void shown.catch(() => undefined).then(() => {
      clearTimeout(timer);
      start();
    });
  }

  #tick(): void {
    if (!this.places.at(-1)?.isHeld()) for (const toast of this.all) toast.leftMs -= TICK_MS;
    if (this.all.some(({ leftMs }) => leftMs <= 0)) this.all = this.all.filter(({ leftMs }) => leftMs > 0);
    if (this.all.length > 0) return;
    clearInterval(this.#clock);
    this.#clock = undefined;
  }
}

export const toasts = new Toasts();
