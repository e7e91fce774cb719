// Which names larder takes (the contract, section 2). Knows no page.

export type NameFault = "missing" | "slash" | "dots" | "long";

/** Bytes of one name in UTF-8: what every file system larder runs on can keep. */
const NAME_BYTES_MAX = 255;

/** What is wrong with a name; `undefined` when nothing is. */
export function judgeName(name: string): NameFault | undefined {
  if (name.trim() === "") return "missing";
  if (name.includes("/")) return "slash";
  if (name === "." || name === ".." || name.includes("\0")) return "dots";
  if (new TextEncoder().encode(name).length > NAME_BYTES_MAX) return "long";
  return undefined;
}
