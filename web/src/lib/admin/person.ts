// What is proposed for somebody new, from what people call them. Only strings.
import { judgeName } from "../state/name.ts";

/** What they sign in with: in small letters, and in one word. */
export function usernameFor(name: string): string {
  return name.normalize("NFC").trim().toLowerCase().replace(/\s+/gu, ".");
}

/** What a folder of their own is called; "" where nothing can be made of the name. */
export function folderNameFor(name: string): string {
  // A folder that begins with a dot would be hidden.
  const folder = name.normalize("NFC").trim().replaceAll("/", "-").replace(/^\.+/u, "").trim();
  return judgeName(folder) === undefined ? folder : "";
}

/** The letter that stands for somebody; a sign of several units is one. */
export function initialOf(name: string): string {
  return ([...name.trim()][0] ?? "").toUpperCase();
}
