// Where in what is shared one is: a folder, and what is looked at there. It stands behind the `#` of the address, which
// browsers tell nobody.

export interface Place {
  /** Relative to the link; "" is all that is shared. */
  folder: string;
  /** The name of what is looked at; "" for nothing. */
  file: string;
}

/** `#Day%202/` is a folder, `#Day%202/a.jpg` something in it. */
export function readPlace(hash: string): Place {
  const parts = hash.replace(/^#/, "").split("/").map(decode);
  const file = parts.pop() ?? "";
  return { folder: parts.filter(Boolean).join("/"), file };
}

export function writePlace({ folder, file }: Place): string {
  const parts = folder === "" ? [] : folder.split("/");
  return `#${[...parts, file].map(encodeURIComponent).join("/")}`;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
