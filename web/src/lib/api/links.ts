// Links: what people without an account may see, or bring.
import type { Answer, Body } from "./call.ts";
import { get, head, post } from "./http.ts";

/** One link. */
export type Link = Answer<"/api/link/get_all">[number];
export type LinkId = Link["id"];

/** What a link is to be like. */
export type LinkWish = Omit<Body<"/api/link/edit">, "id" | "renew">;

/** One's own links, or with `isAll` everybody's. */
export function listLinks(isAll: boolean, signal?: AbortSignal): Promise<Link[]> {
  return get("/api/link/get_all", isAll ? { all: "1" } : {}, signal);
}

/** Makes a link to a file or folder; answers with its id and where it is. */
export function createLink(path: string, wish: LinkWish): Promise<Answer<"/api/link/create">> {
  return post("/api/link/create", { path, ...wish });
}

/** What is left out stays as it is. */
export async function editLink(id: LinkId, change: LinkWish): Promise<void> {
  await post("/api/link/edit", { id, ...change });
}

/** Gives a link another address; the one it had leads nowhere any more. */
export async function renewLink(id: LinkId): Promise<void> {
  await post("/api/link/edit", { id, renew: true });
}

export async function deleteLink(id: LinkId): Promise<void> {
  await post("/api/link/delete", { id });
}

/** The whole address of one's own link, as its QR code has it: larder may be reached from afar by another name. */
export async function readAddress(id: LinkId, signal?: AbortSignal): Promise<string> {
  return (await head("/api/link/qr", { id }, signal)).get("Larder-Address") ?? "";
}

/** Where the QR code of a link's address comes from; `url` has it asked for again once that is another. */
export function codeAddress({ id, url = "" }: Pick<Link, "id" | "url">): string {
  return `/api/link/qr?id=${encodeURIComponent(id)}&v=${encodeURIComponent(url.slice(-6))}`;
}
