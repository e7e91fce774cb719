// What was shared on its way into a folder: each thing waits in the browser until it has arrived.
import { bringFiles, named } from "../files/bring.ts";
import { locale, t } from "../state/texts.svelte.ts";
import type { Brought } from "../state/uploads.svelte.ts";
import { forget, forgetShare, type Share, type Words } from "./store.ts";

/** Characters of a name that is made of words. */
const NAME_LENGTH_MAX = 60;

/** Brings all of a share into a folder; what has arrived waits no longer. `onOver`: when all has. */
export function bringShare(share: Share, folder: string, onOver: () => void): void {
  const all: Brought[] = [];
  let left = share.files.length + (share.words ? 1 : 0);
  const add = (key: string, file: File) =>
    all.push({
      folder,
      file,
      onOver: () => {
        left -= 1;
        void forget(key);
        if (left > 0) return;
        void forgetShare(share);
        onOver();
      },
    });
  for (const { key, file } of share.files) add(key, named(file, t("received.nameless")));
  if (share.words) add(share.words.key, fileOfWords(share.words.words, share.at));
  bringFiles(all);
}

/** Words as a file of text; the same again after a reload, so that it goes on where it was. */
export function fileOfWords(words: Words, at: number): File {
  const lines = [words.title, words.text, words.url].filter((one) => one !== undefined);
  // Some apps put the address into the text, and others into both.
  const own = lines.filter((one, place) => !lines.some((other, its) => its !== place && other.includes(one) && (other !== one || its < place)));
  return new File([`${own.join("\n\n")}\n`], `${nameOf(words, at)}.txt`, { type: "text/plain", lastModified: at });
}

function nameOf({ title }: Words, at: number): string {
  // What a name may not have anywhere, and what would hide it.
  const plain = (title ?? "").replace(/[\p{Cc}/\\:*?"<>|]+/gu, " ").replace(/\s+/g, " ").replace(/^[. ]+/, "");
  const short = [...plain].slice(0, NAME_LENGTH_MAX).join("").trim();
  if (short !== "") return short;
  const when = new Date(at).toLocaleString(locale(), { dateStyle: "short", timeStyle: "medium" });
  return t("received.wordsName", { when: when.replace(/[/:]/g, ".") });
}
