// Signing in and out, people and roles: one function for each endpoint.
import type { Answer } from "./call.ts";
import { get, post, postAt } from "./http.ts";
import type { Roles, Self, SelfChange, Session, SignInCode, User } from "./types.ts";

/** `remember`: the session lasts 90 days after its last use instead of one. */
export async function login(username: string, password: string, remember = false): Promise<string> {
  return (await post("/api/user/login", { username, password, remember })).token;
}

/** By a one-time code, which is used up by it. */
export async function loginByCode(code: string, remember = false): Promise<string> {
  return (await post("/api/user/login", { code, remember })).token;
}

/** A new token of the session, also when the last one has expired; refused where the session is over. */
export async function renew(): Promise<string> {
  return (await postAt<Answer<"/api/user/renew">>("/api/user/renew", {})).token;
}

export function listSessions(signal?: AbortSignal): Promise<Session[]> {
  return get("/api/user/sessions", {}, signal);
}

/** At once, wherever it is. */
export async function endSession(id: string): Promise<void> {
  await post("/api/user/end_session", { id });
}

export async function logout(isEverywhere = false): Promise<void> {
  await post("/api/user/logout", isEverywhere ? { everywhere: true } : {});
}

export function readSelf(signal?: AbortSignal): Promise<Self> {
  return get("/api/user/get_self", {}, signal);
}

export function readRole(signal?: AbortSignal): Promise<Record<string, boolean>> {
  return get("/api/role/self", {}, signal);
}

/** Answers with a new token for a new password, and with the key for a new key. */
export function editSelf(change: SelfChange): Promise<{ token?: string; API_KEY?: string }> {
  return post("/api/user/edit_self", change);
}

export function listUsers(signal?: AbortSignal): Promise<User[]> {
  return get("/api/user/get_all", {}, signal);
}

export interface UserChange {
  username: string;
  name: string;
  role: string;
  paths: string[];
  paths_write: string[];
  /** Left out: as it is. */
  password?: string;
}

/** Answers with the API key, which is never shown again. */
export async function createUser(user: UserChange & { password: string }): Promise<string> {
  const lists = { paths: JSON.stringify(user.paths), paths_write: JSON.stringify(user.paths_write) };
  return (await post("/api/user/create", { ...user, ...lists })).API_KEY;
}

/** Somebody who will be let in by a code, and choose a password then. */
export async function createWithoutPassword(user: UserChange): Promise<void> {
  const lists = { paths: JSON.stringify(user.paths), paths_write: JSON.stringify(user.paths_write) };
  await post("/api/user/create", { ...user, ...lists, without_password: true });
}

/** A code that signs somebody in once, for a quarter of an hour. */
export function makeSignInCode(username: string): Promise<SignInCode> {
  return post("/api/user/signin_code", { username });
}

export async function editUser(id: number, user: UserChange): Promise<void> {
  const lists = { paths: JSON.stringify(user.paths), paths_write: JSON.stringify(user.paths_write) };
  await post("/api/user/edit", { id, ...user, ...lists });
}

export async function deleteUser(username: string): Promise<void> {
  await post("/api/user/delete", { username });
}

export function readRoles(signal?: AbortSignal): Promise<Roles> {
  return get("/api/role/get", {}, signal);
}

export async function editRoles(roles: Roles): Promise<void> {
  await post("/api/role/edit", roles);
}
