// Short messages that come and go at the foot of the page.

/** How long a message stays (ms): long enough to be read twice. */
const STAY_MS = 6000;

class Toasts {
  all = $state<{ id: number; text: string; isError: boolean }[]>([]);
  #nextId = 1;

  say(text: string): void {
    this.#add(text, false);
  }

  complain(text: string): void {
    this.#add(text, true);
  }

  dismiss(id: number): void {
    this.all = this.all.filter((toast) => toast.id !== id);
  }

  #add(text: string, isError: boolean): void {
    const id = this.#nextId++;
    this.all.push({ id, text, isError });
    setTimeout(() => this.dismiss(id), STAY_MS);
  }
}

export const toasts = new Toasts();
