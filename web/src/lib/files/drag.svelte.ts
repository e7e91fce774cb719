// Entries on their way from one place of the page to another by the pointer, and files from the
// desktop. Knows paths, not how anything looks.
import { isWithin, joinPath, parentOf } from "../state/paths.ts";
import { bringsFiles } from "./dropped.ts";

/** What marks a drag as larder's own. */
const TYPE = "application/x-larder";

class Drag {
  /** What is being dragged; empty when nothing of ours is. */
  paths = $state.raw<readonly string[]>([]);
  /** The folder under the pointer that would take it. */
  over = $state<string>();

  start(event: DragEvent, folder: string, names: readonly string[]): void {
    this.paths = names.map((name) => joinPath(folder, name));
    event.dataTransfer?.setData(TYPE, JSON.stringify(this.paths));
    if (event.dataTransfer) event.dataTransfer.effectAllowed = "copyMove";
  }

  end(): void {
    this.paths = [];
    this.over = undefined;
  }

  /** Takes the drag over a folder if it may end there; to be called for enter and over. */
  offer(event: DragEvent, folder: string, isWritable: boolean): void {
    if (!isWritable || !this.#fits(event, folder)) return;
    event.preventDefault();
    event.stopPropagation();
    this.over = folder;
    if (event.dataTransfer) {
      const isCopy = bringsFiles(event) || event.ctrlKey;
      event.dataTransfer.dropEffect = isCopy ? "copy" : "move";
    }
  }

  leave(folder: string): void {
    if (this.over === folder) this.over = undefined;
  }

  #fits(event: DragEvent, folder: string): boolean {
    if (bringsFiles(event)) return true;
    if (this.paths.length === 0) return false;
    return this.paths.every((path) => !isWithin(folder, path) && parentOf(path) !== folder);
  }
}

export const drag = new Drag();
