// What is asked of larder under a link. Everything lies below the page's own address; nothing else is ever asked.
import { getAt, headAt, postAt } from "../lib/api/http.ts";
import type { Entry } from "../lib/api/types.ts";
import type { ThumbSize } from "../lib/photos/thumb.ts";

/** What larder tells of a link. */
export interface Info {
  type: "file" | "folder";
  name: string;
  label?: string | null;
  /** Bytes of a file. */
  size?: number;
  /** Whether one may look, and bring. */
  read: boolean;
  write: boolean;
  /** RFC 3339. */
  expires?: string | null;
  /** Who made it. */
  from: string;
}

/** Only this is told while a password is missing. */
export interface Shut {
  needs_password: true;
}

/** `/s/<token>` */
export const base = location.pathname.split("/").slice(0, 3).join("/");

export const askInfo = (): Promise<Info | Shut> => getAt(`${base}/info`);

export async function askList(path: string): Promise<readonly Entry[]> {
  const answer = await getAt<{ entries?: readonly Entry[] }>(addressOf("list", [named(path)]));
  return answer.entries ?? [];
}

/** The right password, once it was given here: whoever tells their name has to give it once more. */
let password: string | undefined;

/** Gives the password, or the guest's name. */
export async function open(told: { password?: string; guest?: string }): Promise<void> {
  await postAt(`${base}/open`, { ...(password !== undefined && { password }), ...told });
  password = told.password ?? password;
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
