// Paths under the share root as larder writes them: `/`-separated, no leading `/`, "" is the root.
// Only strings; knows no server and no page.

/** A path without empty parts, so that `/docs//a/` and `docs/a` are one folder. */
export function cleanPath(path: string): string {
  return path
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .join("/");
}

/** The path of `name` in `folder`. */
export function joinPath(folder: string, name: string): string {
  return folder === "" ? name : `${folder}/${name}`;
}

/** The folder a path lies in; the root's is the root. */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

/** The last part of a path; "" for the root. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Where a relative path leads that is written in `folder`; what begins with `/` begins at the root. */
export function resolvePath(folder: string, written: string): string {
  const parts: string[] = [];
  for (const part of cleanPath(written.startsWith("/") ? written : joinPath(folder, written)).split("/")) {
    if (part === "..") parts.pop();
    else parts.push(part);
  }
  return parts.join("/");
}

/** The folders from the first one below the root down to `path` itself. */
export function crumbsOf(path: string): { name: string; path: string }[] {
  const parts = path === "" ? [] : path.split("/");
  return parts.map((name, at) => ({ name, path: parts.slice(0, at + 1).join("/") }));
}

/** The name in `folder` through which one comes to `path` below it; "" where `path` is not below it. */
export function stepTowards(path: string, folder: string): string {
  if (path === folder || !isWithin(path, folder)) return "";
  return path.slice(folder === "" ? 0 : folder.length + 1).split("/")[0] ?? "";
}

/** Whether a rule for `prefix` covers `path`: by whole parts, so `photos` is not `photos2`. */
export function isWithin(path: string, prefix: string): boolean {
  const rule = cleanPath(prefix);
  return rule === "" || path === rule || path.startsWith(`${rule}/`);
}

/** How many characters of a name come before its ending: what a rename selects. */
export function stemLength(name: string): number {
  const dot = name.lastIndexOf(".");
  return dot > 0 ? dot : name.length;
}
