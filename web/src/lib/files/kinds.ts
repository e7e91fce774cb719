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
  other: "kind.file",
};

export function kindWords(entry: Entry): string {
  return t(WORDS[entry.type === "folder" ? "folder" : kindOf(entry.mime, entry.name)]);
}
