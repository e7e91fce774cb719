// FTP permissions in words. The letters and their order are the contract's (section 8).
import type { TextKey } from "../state/texts.svelte.ts";

export const FTP_RIGHTS: readonly { letters: string; label: TextKey }[] = [
  { letters: "e", label: "ftp.rightEnter" },
  { letters: "l", label: "ftp.rightList" },
  { letters: "r", label: "ftp.rightRead" },
  { letters: "a", label: "ftp.rightAppend" },
  { letters: "d", label: "ftp.rightDelete" },
  { letters: "f", label: "ftp.rightRename" },
  { letters: "m", label: "ftp.rightMake" },
  { letters: "w", label: "ftp.rightWrite" },
  { letters: "M", label: "ftp.rightMode" },
  { letters: "T", label: "ftp.rightTime" },
];

/** What the letters of a user allow, in a word where there is one. */
export function rightsKey(letters: string): TextKey {
  const has = (wanted: string) => [...wanted].every((letter) => letters.includes(letter));
  if (has("elradfmw")) return "ftp.all";
  if (!/[adfmw]/.test(letters)) return has("r") ? "ftp.readOnly" : "ftp.some";
  return "ftp.some";
}
