// Which folder is to be connected as a drive, asked for from anywhere on the page: one sheet answers.
import { isRaw } from "../state/rawNames.ts";
import { session } from "../state/session.svelte.ts";

class Drives {
  asked = $state.raw<{ path: string }>();
  /** What to do after a key was made for one. */
  onmade: () => void = () => undefined;

  connect(path: string): void {
    this.asked = { path };
  }

  close(): void {
    this.asked = undefined;
  }
}

export const drives = new Drives();

/** Whether the role lets in by WebDAV: past its door, and to see what is there. */
export function mayUseDav(): boolean {
  return session.may("/dav/") && session.may("/api/finder");
}

/** Whether a folder is offered as a drive; no address of WebDAV leads to what has no name in text. */
export function mayConnect(path: string): boolean {
  return mayUseDav() && !path.split("/").some(isRaw) && (path === session.placeOf("") || session.mayReadAt(path));
}
