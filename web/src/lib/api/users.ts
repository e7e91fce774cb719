// Signing in and out, people and roles: one function for each endpoint.
import type { Answer } from "./call.ts";
import { get, post, postAt } from "./http.ts";
import { Problem } from "./problem.ts";
import type { Roles, Self, SelfChange, Session, SignInCode, User } from "./types.ts";

/**
 * `remember`: the session lasts 90 days after its last use instead of one. `code`: of the second factor, where the answer
 * was that one is wanted; a recovery code will do.
 */
export async function login(username: string, password: string, remember = false, code = ""): Promise<string> {
  return (await post("/api/user/login", { username, password, remember, ...(code !== "" && { code }) })).token;
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

/** What an app for codes is told: as text, as an address, and as a picture (SVG). */
export interface SecondFactor {
  secret: string;
  uri: string;
  qr: string;
}

/** Begins a second factor; it counts once it was confirmed. Who has no password yet gives "". */
export async function startSecondFactor(password: string): Promise<SecondFactor> {
  const made = await post("/api/user/totp", { action: "start", ...(password !== "" && { password }) });
  if (!("secret" in made)) throw new Problem("fault", "No secret was told");
  return made;
}

/** Turns it on; answers with codes that are good once each, and are never shown again. */
export async function confirmSecondFactor(code: string): Promise<readonly string[]> {
  const made = await post("/api/user/totp", { action: "confirm", code });
  if (!("recovery" in made)) throw new Problem("fault", "No recovery codes were told");
  return made.recovery;
}

export async function stopSecondFactor(password: string, code: string): Promise<void> {
  await post("/api/user/totp", { action: "stop", code, ...(password !== "" && { password }) });
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
