// What the file manager may ask its reader in a dialog; one at a time.
import type { Entry } from "../api/types.ts";

export type Asking =
  | { what: "folder" | "file" | "keys" }
  | { what: "delete" | "details"; entries: readonly Entry[] }
  | { what: "moveTo" | "copyTo"; paths: string[] };
