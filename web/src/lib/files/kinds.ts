// What an entry is, in words.
import type { Entry } from "../api/types.ts";
import { kindOf, type Kind } from "../state/kind.ts";
import { t, type TextKey } from "../state/texts.svelte.ts";

const WORDS: Record<Kind, TextKey> = {
  folder: "kind.folder",
  image: "kind.image",
  video: "kind.video",
  audio: "kind.audio",
  pdf: "kind.pdf",
  text: "kind.text",
  archive: "kind.archive",
  document: "kind.document",
  spreadsheet: "kind.spreadsheet",
  presentation: "kind.presentation",
  other: "kind.file",
};

export function kindWords(entry: Entry): string {
  return entry.type === "folder" ? t(WORDS.folder) : fileWords(entry.mime, entry.name);
}

/** What a file of this media type and name is. */
export function fileWords(mime: string, name: string): string {
  return t(WORDS[kindOf(mime, name)]);
}
