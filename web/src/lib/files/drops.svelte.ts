// What is dropped on the page or on a folder of it: files from the desktop, or entries of this page.
import { listing } from "../state/listing.svelte.ts";
import { complain, transferAll } from "../state/operations.svelte.ts";
import { session } from "../state/session.svelte.ts";
import { bringFiles } from "./bring.ts";
import { drag } from "./drag.svelte.ts";
import { bringsFiles, readDropped } from "./dropped.ts";

export class Drops {
  /** A drag enters and leaves each thing below it; only the sum says whether it is over the page. */
  #depth = $state(0);

  /** `mayUpload`: whether the folder on show takes files. */
  constructor(readonly mayUpload: () => boolean) {}

  /** Files are held over the page that the folder on show would take. */
  get isOffered(): boolean {
    return this.#depth > 0 && this.mayUpload() && drag.over === undefined;
  }

  /** A drag enters something (`step` 1), leaves it (-1), or is still over it (0). */
  hover(event: DragEvent, step: number): void {
    if (!bringsFiles(event)) return;
    event.preventDefault();
    this.#depth = Math.max(0, this.#depth + step);
    if (event.dataTransfer && drag.over === undefined) {
      event.dataTransfer.dropEffect = this.mayUpload() ? "copy" : "none";
    }
  }

  /** Something was dropped on no folder in particular: files go into the one on show. */
  dropHere(event: DragEvent): void {
    if (bringsFiles(event)) void this.dropOn(event, listing.shownPath);
  }

  /** Something was dropped on a folder. */
  async dropOn(event: DragEvent, target: string): Promise<void> {
    // Else the browser would leave the page for the file.
    event.preventDefault();
    this.#depth = 0;
    const { paths } = drag;
    drag.end();
    if (!event.dataTransfer) return;
    if (!bringsFiles(event)) {
      void transferAll(event.ctrlKey && session.may("/api/copy") ? "copy" : "move", paths, target);
      return;
    }
    if (!this.mayUpload() && target === listing.shownPath) return;
    try {
      bringFiles(await readDropped(event.dataTransfer, target));
    } catch (cause) {
      complain(cause);
    }
  }
}
