// Keys: what an app or a device signs in with, narrowed to what it needs.
import type { Answer, Body } from "./call.ts";
import { get, post } from "./http.ts";

/** A key as it is told of later. */
export type Key = Answer<"/api/key/get_all">[number];
export type KeyDoor = Key["doors"][number];

/** What a key is to be like. */
export type KeyWish = Body<"/api/key/create">;

export function listKeys(signal?: AbortSignal): Promise<Key[]> {
  return get("/api/key/get_all", {}, signal);
}

/** A key that was just made. */
export type MadeKey = Answer<"/api/key/create", "post">;

/** Answers with the key itself, which is never shown again. */
export function createKey(wish: KeyWish): Promise<MadeKey> {
  return post("/api/key/create", { ...wish, show: true });
}

export async function deleteKey(id: Key["id"]): Promise<void> {
  await post("/api/key/delete", { id });
}
