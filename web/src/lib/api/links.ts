// Links: what people without an account may see, or bring.
import { get, post } from "./http.ts";

/** One link. */
export interface Link {
  id: number | string;
  url?: string;
  path: string;
  label: string;
  type: "file" | "folder";
  read: boolean;
  write: boolean;
  has_password: boolean;
  expires?: string | null;
  downloads_max?: number | null;
  downloads: number;
  upload_bytes_max?: number | null;
  uploaded_bytes: number;
  upload_files_max?: number | null;
  uploaded_files: number;
  guest_folders: boolean;
  by: string;
  created: string;
  last_used?: string | null;
  state: "open" | "expired" | "used_up" | "closed";
}
export type LinkId = Link["id"];

/** What a link is to be like. */
export interface LinkWish {
  label?: string;
  read?: boolean;
  write?: boolean;
  password?: string;
  expires?: string | number | null;
  downloads_max?: number | null;
  upload_bytes_max?: number | null;
  upload_files_max?: number | null;
  guest_folders?: boolean;
}

/** One's own links, or with `isAll` everybody's. */
export function listLinks(isAll: boolean, signal?: AbortSignal): Promise<Link[]> {
  return get("/api/link/get_all" as never, (isAll ? { all: "1" } : {}) as never, signal) as Promise<Link[]>;
}

/** Makes a link to a file or folder; answers with its id and where it is. */
export async function createLink(path: string, wish: LinkWish): Promise<{ id: LinkId; url: string }> {
  return (await post("/api/link/create" as never, { path, ...wish } as never)) as Required<Link>;
}

/** What is left out stays as it is. */
export async function editLink(id: LinkId, change: LinkWish): Promise<void> {
  await post("/api/link/edit" as never, { id, ...change } as never);
}

/** Gives a link another address; the one it had leads nowhere any more. */
export async function renewLink(id: LinkId): Promise<void> {
  await post("/api/link/edit" as never, { id, renew: true } as never);
}

export async function deleteLink(id: LinkId): Promise<void> {
  await post("/api/link/delete" as never, { id } as never);
}

/** Where the QR code of a link's address comes from; `url` has it asked for again once that is another. */
export function codeAddress({ id, url = "" }: Pick<Link, "id" | "url">): string {
  return `/api/link/qr?id=${encodeURIComponent(id)}&v=${encodeURIComponent(url.slice(-6))}`;
}
