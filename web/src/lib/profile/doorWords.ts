// The doors of larder as people call them.
import type { KeyDoor } from "../api/keys.ts";
import { locale, t, type TextKey } from "../state/texts.svelte.ts";
import { opensAll } from "./keyWish.ts";

const WORDS: Record<KeyDoor, TextKey> = { api: "profile.doorApi", dav: "profile.doorDav", ftp: "profile.doorFtp" };

export function doorWord(door: KeyDoor): string {
  return t(WORDS[door]);
}

/** Several in a sentence. */
export function doorWords(doors: readonly KeyDoor[]): string {
  if (opensAll(doors)) return t("profile.everyDoor");
  return new Intl.ListFormat(locale(), { type: "conjunction" }).format(doors.map(doorWord));
}
