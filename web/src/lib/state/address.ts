// The addresses of views, files and downloads, and the way back after signing in.
// Only strings; knows no history and no server.
import { cleanPath } from "./paths.ts";

/** Where one may be led back to after signing in. */
const PAGES_TO_RETURN_TO = ["/", "/preview"];

/** A path as a query value; `/` stays readable. */
function encodePath(path: string): string {
  return encodeURIComponent(path).replaceAll("%2F", "/");
}

/** The page that lists a folder. */
export function folderAddress(path: string): string {
  return path === "" ? "/" : `/?path=${encodePath(path)}`;
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
