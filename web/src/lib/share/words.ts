// What links are and what is wrong with them, in the reader's words.
import type { Link } from "../api/links.ts";
import { Problem } from "../api/problem.ts";
import { JobCancelled } from "../state/jobs.svelte.ts";
import { nameOf } from "../state/paths.ts";
import { readable } from "../state/rawNames.ts";
import { t, type TextKey } from "../state/texts.svelte.ts";
import { describe } from "../state/words.ts";

/** What a link leads to is called; the whole share has no name of its own, and a place that one may not see has none. */
export function nameOfPlace({ path }: Pick<Link, "path">): string {
  if (path === null) return t("shared.unseen");
  return readable(nameOf(path)) || t("files.title");
}

/** A link by what its maker calls it, else by what it leads to. */
export function nameOfLink(link: Pick<Link, "label" | "path">): string {
  return link.label || nameOfPlace(link);
}

/** What guests of a link may. */
export function rightsWords({ read, write, type }: Pick<Link, "read" | "write" | "type">): string {
  if (type === "file") return t("share.isFile");
  if (!write) return t("share.isRead");
  return t(read ? "share.isBoth" : "share.isWrite");
}

const STATES: Record<Link["state"], TextKey> = {
  open: "shared.open",
  expired: "shared.expired",
  used_up: "shared.usedUp",
  closed: "shared.closed",
};

export function stateWords({ state }: Pick<Link, "state">): string {
  return t(STATES[state]);
}

/** larder's codes that mean something of their own where links are made and changed. */
const CODES: Record<string, TextKey> = {
  exists: "share.problemTooMany",
  conflict: "share.problemTooMany",
  clock_not_set: "share.problemClock",
  not_permitted: "share.problemRefused",
  not_found: "share.problemMissing",
};

/** Why a link could not be made or changed. */
export function linkProblem(cause: unknown): string {
  if (cause instanceof JobCancelled) return t("share.problemCancelled");
  const key = cause instanceof Problem ? CODES[cause.code] : undefined;
  return key === undefined ? describe(cause) : t(key);
}
