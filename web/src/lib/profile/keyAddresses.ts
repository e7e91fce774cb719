// Where a key is good: an address for each door that it opens. Knows no page and no server.
import type { KeyDoor } from "../api/keys.ts";
import type { TextKey } from "../state/texts.svelte.ts";

export interface KeyAddress {
  word: TextKey;
  address: string;
}

/** `here` is how the reader came to larder; `ftpPort` where FTP answers, `undefined` while it is off. */
export function addressesOf(doors: readonly KeyDoor[], ftpPort: number | undefined, here: Pick<Location, "origin" | "hostname">): KeyAddress[] {
  const all: Record<KeyDoor, KeyAddress | undefined> = {
    api: { word: "profile.keyAtApi", address: here.origin },
    dav: { word: "profile.keyAtDav", address: `${here.origin}/dav/` },
    ftp: ftpPort === undefined ? undefined : { word: "profile.keyAtFtp", address: `ftp://${here.hostname}:${ftpPort}/` },
  };
  return doors.map((door) => all[door]).filter((one) => one !== undefined);
}
