// What was cut or copied, to be pasted into another folder. larder's own: the system's clipboard
// is closed to a page without a secure connection.

class Clipboard {
  kind = $state<"move" | "copy">("copy");
  paths = $state.raw<readonly string[]>([]);
  isEmpty = $derived(this.paths.length === 0);
  #cut = $derived(new Set(this.kind === "move" ? this.paths : []));

  take(kind: "move" | "copy", paths: readonly string[]): void {
    this.kind = kind;
    this.paths = paths;
  }

  clear(): void {
    this.paths = [];
  }

  /** Whether a path is about to move away. */
  isCut(path: string): boolean {
    return this.#cut.has(path);
  }
}

export const clipboard = new Clipboard();
