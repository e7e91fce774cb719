// Signing in and out, and who one is: one function for each endpoint.
import { get, post } from "./http.ts";
import type { Self } from "./types.ts";

export async function login(username: string, password: string): Promise<string> {
  return (await post<{ token: string }>("/api/user/login", { username, password })).token;
}

export async function logout(): Promise<void> {
  await post("/api/user/logout", {});
}

export function readSelf(signal?: AbortSignal): Promise<Self> {
  return get("/api/user/get_self", {}, signal);
}

export function readRole(signal?: AbortSignal): Promise<Record<string, boolean>> {
  return get("/api/role/self", {}, signal);
}
