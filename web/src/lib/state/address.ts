// The addresses of views, files and downloads, and the way back after signing in.
// Only strings; knows no history and no server.
import { cleanPath } from "./paths.ts";

/** Where one may be led back to after signing in. */
const PAGES_TO_RETURN_TO = ["/", "/preview"];

/** A path as a query value; `/` stays readable. */
function encodePath(path: string): string {
  return encodeURIComponent(path).replaceAll("%2F", "/");
}

/** The views of the first page. */
export const VIEWS = [
  "files",
  "photos",
  "shared",
  "trash",
  "dashboard",
  "people",
  "ftp",
  "logs",
  "settings",
  "terminal",
  "update",
  "cloud",
  "profile",
] as const;
export type View = (typeof VIEWS)[number];

/** What the address of the first page says: a view; of the files the folder, and the file open. */
export interface Route {
  view: View;
  path: string;
  /** The name of the file shown over its folder, of Photos its path; "" for none. */
  file: string;
}

/** Reads the query of the first page; what is none of ours means the files. */
export function readRoute(search: string): Route {
  const query = new URLSearchParams(search);
  const view = VIEWS.find((one) => one === query.get("view")) ?? "files";
  if (view === "photos") return { view, path: "", file: cleanPath(query.get("file") ?? "") };
  if (view !== "files") return { view, path: "", file: "" };
  return { view, path: pathIn(search), file: query.get("file") ?? "" };
}

/** The page that lists a folder. */
export function folderAddress(path: string): string {
  return path === "" ? "/" : `/?path=${encodePath(path)}`;
}

/** A file shown over the folder it lies in. */
export function fileAddress(folder: string, name: string): string {
  const file = `file=${encodePath(name)}`;
  return folder === "" ? `/?${file}` : `${folderAddress(folder)}&${file}`;
}

/** A photo shown over the wall of all. */
export function photoAddress(path: string): string {
  return `${viewAddress("photos")}&file=${encodePath(path)}`;
}

/** Where a view stands. */
export function viewAddress(view: View): string {
  return view === "files" ? "/" : `/?view=${view}`;
}

/** The page that shows a file. */
export function previewAddress(path: string): string {
  return `/preview?path=${encodePath(path)}`;
}

/** Where a file, or a folder as a ZIP, comes from; `isInline` to look at, not to keep. */
export function downloadAddress(path: string, isInline = false): string {
  return `/api/download?file_path=${encodePath(path)}${isInline ? "&inline=1" : ""}`;
}

/** The path named by a page's query. */
export function pathIn(search: string): string {
  return cleanPath(new URLSearchParams(search).get("path") ?? "");
}

/** The sign-in page that leads back to `here` (path and query); `isOver` has it say why. */
export function signInAddress(here: string, isOver = false): string {
  const query = new URLSearchParams();
  if (here !== "/") query.set("next", here);
  if (isOver) query.set("over", "1");
  const search = query.toString();
  return search === "" ? "/auth" : `/auth?${search}`;
}

/** The one-time code that an address of the sign-in page brings behind its `#`, which no server is told. */
export function codeIn(hash: string): string {
  if (!hash.startsWith("#")) return "";
  return new URLSearchParams(hash.slice(1)).get("code")?.trim() ?? "";
}

/** Whether the sign-in page was come to because a session ended. */
export function saysSessionIsOver(search: string): boolean {
  return new URLSearchParams(search).has("over");
}

/**
 * Where to go after signing in: the page named by `next` in the sign-in page's query if it is one
 * of ours, else the first page.
 *
 * A link to the sign-in page may come from a stranger, so the wish is read the way the browser
 * would follow it, and only known pages of this very origin pass.
 */
export function returnAddress(search: string, origin: string): string {
  const wish = new URLSearchParams(search).get("next");
  if (!wish?.startsWith("/")) return "/";
  let target: URL;
  try {
    target = new URL(wish, origin);
  } catch {
    return "/";
  }
  if (target.origin !== origin || !PAGES_TO_RETURN_TO.includes(target.pathname)) return "/";
  return target.pathname + target.search + target.hash;
}

/** Where a small picture of a file comes from; `version` changes with its content, "" where that is unknown. */
export function thumbAddress(path: string, size: 160 | 320 | 1280, version = ""): string {
  const known = version === "" ? "" : `&v=${encodeURIComponent(version)}`;
  return `/api/thumb?path=${encodePath(path)}&size=${size}${known}`;
}

/** Where apps outside the browser open a file, over WebDAV. */
export function davAddress(origin: string, path: string): string {
  return `${origin}/dav/${encodePath(path)}`;
}
