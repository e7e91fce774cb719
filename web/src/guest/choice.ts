// What is chosen to be downloaded together.

export class Choice {
  isOn = false;
  readonly paths = new Set<string>();
  #hear = new Set<() => void>();

  /** Calls `action` after each change; returns the way to stop. */
  onChange(action: () => void): () => void {
    this.#hear.add(action);
    return () => this.#hear.delete(action);
  }

  begin(): void {
    this.isOn = true;
    this.#tell();
  }

  end(): void {
    this.isOn = false;
    this.paths.clear();
    this.#tell();
  }

  toggle(path: string): void {
    if (!this.paths.delete(path)) this.paths.add(path);
    this.#tell();
  }

  #tell(): void {
    for (const action of this.#hear) action();
  }
}
