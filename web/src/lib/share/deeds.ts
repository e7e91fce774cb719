// What guests did, as rows of the log tell it.
import type { Link } from "../api/links.ts";
import type { LogRow } from "../api/types.ts";
import { nameOf } from "../state/paths.ts";
import type { TextKey } from "../state/texts.svelte.ts";

export interface Deed {
  id: number;
  kind: "look" | "take" | "bring" | "refused";
  key: TextKey;
  /** What it was done to. */
  name: string;
  who: string;
  when: string;
  from: string;
}

/** What a row tells of a link's guests; nothing where it is what its maker did. */
export function deedOf(row: LogRow, link: Pick<Link, "path">): Deed | undefined {
  const about = { id: row.id, who: row.user ?? "", when: row.timestamp, from: row.ip };
  const name = nameOf(row.path ?? "");
  if (row.op === "create" || row.op === "write") return { ...about, kind: "bring", key: "shared.didBring", name };
  if (row.op === "refused") return { ...about, kind: "refused", key: "shared.didFail", name };
  if (row.op !== "read") return undefined;
  return row.path === link.path
    ? { ...about, kind: "look", key: "shared.didLook", name }
    : { ...about, kind: "take", key: "shared.didTake", name };
}
