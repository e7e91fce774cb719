// The endpoints a role may be given, with what they belong to and put at stake. Which there are is read from
// larder's own document of the API; the words for them are in the catalogues, under keys made from their paths.
import { endpoints } from "virtual:endpoints";
import type { Endpoint } from "../api/call.ts";
import { isTextKey, type TextKey } from "../state/texts.svelte.ts";

/** `low` looks; `medium` changes files; `high` changes who may do what, or the box itself. */
export type Risk = "low" | "medium" | "high";

export interface EndpointAbout {
  /** In plain words; none for one that is new to these pages. */
  label: TextKey | undefined;
  risk: Risk;
}

/** Endpoints that belong together. */
export interface EndpointGroup {
  label: TextKey;
  paths: readonly string[];
}

/** The group of all that keepers of files need. */
const FILES = "Files and folders";
/** What is of no consequence, though it is none of the files' or its method says that it changes something. */
const HARMLESS: readonly string[] = [
  "/api/jobs/cancel",
  "/api/resources",
  "/api/get_version",
] satisfies Endpoint[];
const RISKS: readonly Risk[] = ["low", "medium", "high"];

const KNOWN = new Map(endpoints.map((one) => [one.path, one]));

/** Several words as the last part of a text's key: `/api/get_file` is `getFile`. */
export function keyOf(words: string): string {
  const [first = "", ...more] = words.replace(/^\/(api\/)?/, "").toLowerCase().split(/[^a-z]+/);
  return first + more.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
}

/** What is known of an endpoint; one that is new to these pages is taken for risky. */
export function aboutEndpoint(path: string): EndpointAbout {
  const label = `endpoint.${keyOf(path)}`;
  return { label: KNOWN.has(path) && isTextKey(label) ? label : undefined, risk: riskOf(path) };
}

function riskOf(path: string): Risk {
  if (HARMLESS.includes(path)) return "low";
  const known = KNOWN.get(path);
  if (known?.group !== FILES) return "high";
  return known.isLooking ? "low" : "medium";
}

/** The endpoints by what they belong to: files first, the unknown last; in each what risks least first. */
export function inGroups(paths: readonly string[]): EndpointGroup[] {
  const groups = [FILES, ...endpoints.map((one) => one.group), ""];
  const order = [...KNOWN.keys()];
  const rank = (path: string) => RISKS.indexOf(riskOf(path)) * order.length + order.indexOf(path);
  return [...new Set(groups)]
    .map((group) => ({
      label: labelOf(group),
      paths: paths
        .filter((path) => (KNOWN.get(path)?.group ?? "") === group)
        .sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1)),
    }))
    .filter((group) => group.paths.length > 0);
}

function labelOf(group: string): TextKey {
  const label = `group.${keyOf(group)}`;
  return isTextKey(label) ? label : "group.unknown";
}

/** What somebody needs who keeps files here; what a new role is given. */
export const FILE_ENDPOINTS: readonly string[] = endpoints
  .filter((one) => one.group === FILES)
  .map((one) => one.path);

/** What is used by those who may only look. */
export const READ_ENDPOINTS: readonly string[] = [
  "/api/finder",
  "/api/download",
  "/api/get_file",
  "/api/events",
] satisfies Endpoint[];
