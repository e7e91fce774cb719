// What is asked of larder under a link. Everything lies below the page's own address; nothing else is ever asked.
import type { Answer } from "../lib/api/call.ts";
import { getAt, headAt, postAt } from "../lib/api/http.ts";
import type { Entry } from "../lib/api/types.ts";
import type { ThumbSize } from "../lib/photos/thumb.ts";

/** What larder tells of a link; nothing else while its password is missing. */
export type Told = Answer<"/s/{token}/info", "get">;

/** All that it tells once it may. */
export type Info = Told & Required<Pick<Told, "type" | "name" | "label" | "read" | "write" | "from">>;

export const isInfo = (told: Told): told is Info => told.type !== undefined;

/** `/s/<token>` */
export const base = location.pathname.split("/").slice(0, 3).join("/");

export const askInfo = (): Promise<Told> => getAt(`${base}/info`);

export async function askList(path: string): Promise<readonly Entry[]> {
  const answer = await getAt<Answer<"/s/{token}/list", "get">>(addressOf("list", [named(path)]));
  return answer.entries ?? [];
}

/** Gives the password; or the guest's name, which a cookie remembers at larder. */
export async function open(told: { password?: string; guest?: string }): Promise<void> {
  await postAt(`${base}/open`, told);
}

/** Where one thing or several come from (several and folders as a ZIP). "" is all that is shared. */
export function downloadAddress(paths: readonly string[], isInline = false): string {
  return addressOf("download", [...paths.map(named), isInline && "inline=1"]);
}

/** Whether it may be downloaded (still): throws why not. */
export async function expectDownload(address: string): Promise<void> {
  await headAt(address, `${base}/list`);
}

export function thumbAddress(path: string, size: ThumbSize, etag = ""): string {
  return addressOf("thumb", [named(path), `size=${size}`, etag !== "" && `v=${encodeURIComponent(etag)}`]);
}

/** All that is shared, and a link's one file, know no path. */
const named = (path: string) => path !== "" && `path=${encodeURIComponent(path)}`;

function addressOf(door: string, query: readonly (string | false)[]): string {
  const told = query.filter(Boolean).join("&");
  return told === "" ? `${base}/${door}` : `${base}/${door}?${told}`;
}
