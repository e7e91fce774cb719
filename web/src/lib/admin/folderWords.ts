// Which folders somebody may reach, in the reader's words.
import { t } from "../state/texts.svelte.ts";

/** For the folders above all that may be reached; `""` is the whole share. */
export function folderWords(folders: readonly string[]): string {
  if (folders.length === 0) return t("people.nothing");
  if (folders.includes("")) return t("people.everything");
  return folders.map((path) => `/${path}`).join(", ");
}
