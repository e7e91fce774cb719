// Short messages that come and go at the foot of the page.

/** How long a message stays (ms): long enough to be read twice, or to think better of it. */
const STAY_MS = 6000;
const STAY_TO_UNDO_MS = 12_000;

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
}

class Toasts {
  all = $state.raw<readonly Toast[]>([]);
  /** Where messages can be shown; only the last place does, which covers the others. */
  places = $state.raw<readonly symbol[]>([]);
  #nextId = 1;

  /** Shows messages at another place; returns the way to stop. */
  showAt(place: symbol): () => void {
    this.places = [...this.places, place];
    return () => (this.places = this.places.filter((one) => one !== place));
  }

  say(text: string, action?: ToastAction): void {
    this.#add(text, false, action);
  }

  complain(text: string): void {
    this.#add(text, true);
  }

  dismiss(id: number): void {
    this.all = this.all.filter((toast) => toast.id !== id);
  }

  #add(text: string, isError: boolean, action?: ToastAction): void {
    const id = this.#nextId++;
    // A complaint that is there already is not said twice.
    const others = isError ? this.all.filter((toast) => toast.text !== text) : this.all;
    this.all = [...others.slice(-3), { id, text, isError, action }];
    setTimeout(() => this.dismiss(id), action ? STAY_TO_UNDO_MS : STAY_MS);
  }
}

export const toasts = new Toasts();
