// Letters typed one after the other: the beginning of a name one looks for.

/** Letters typed within this are one beginning (ms). */
const TYPING_MS = 800;

export class TypeAhead {
  #text = "";
  #atMs = -Infinity;

  /** Whether the next letter belongs to what was typed before. */
  get isUnderWay(): boolean {
    return this.#text !== "" && performance.now() - this.#atMs < TYPING_MS;
  }

  /** One more letter; answers with what is typed by now. */
  add(letter: string): string {
    this.#text = this.isUnderWay ? this.#text + letter : letter;
    this.#atMs = performance.now();
    return this.#text;
  }

  forget(): void {
    this.#text = "";
  }
}
