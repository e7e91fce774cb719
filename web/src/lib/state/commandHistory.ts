// The commands typed before, walked through by the arrow keys. Knows no page.

const COMMANDS_MAX = 200;

export class CommandHistory {
  #all: string[] = [];
  /** Where the walk is; past the end it is at what was being typed. */
  #at = 0;
  #draft = "";

  add(command: string): void {
    if (this.#all.at(-1) !== command) this.#all = [...this.#all, command].slice(-COMMANDS_MAX);
    this.#at = this.#all.length;
    this.#draft = "";
  }

  /** The one before or after; `typed` comes back at the end of the walk. */
  step(by: -1 | 1, typed: string): string {
    if (this.#at === this.#all.length) this.#draft = typed;
    this.#at = Math.min(Math.max(this.#at + by, 0), this.#all.length);
    return this.#all[this.#at] ?? this.#draft;
  }
}
