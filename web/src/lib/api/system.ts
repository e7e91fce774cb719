// The box itself: settings, logs, resources, commands, FTP, updates, cloud.
import { get, post } from "./http.ts";
import type { CloudState, CommandResult, FtpSession, FtpUser, LogRow, Resources, Settings } from "./types.ts";

export function readResources(signal?: AbortSignal): Promise<Resources> {
  return get("/api/resources", {}, signal);
}

/** The same with how it was over the last ten minutes, the oldest first. */
export async function readHistory(signal?: AbortSignal): Promise<Resources> {
  return get("/api/resources", { history: "1" }, signal);
}

export async function shutDown(): Promise<void> {
  await post("/api/shutdown", {});
}

export async function restart(): Promise<void> {
  await post("/api/restart", {});
}

/** Rows older than `before` (an id), or the newest. */
export function readLogs(limit: number, before?: number, signal?: AbortSignal): Promise<LogRow[]> {
  const query = { limit: String(limit), ...(before !== undefined && { before: String(before) }) };
  return get("/api/get_logs", query, signal);
}

export function readSettings(signal?: AbortSignal): Promise<Settings> {
  return get("/api/get_settings", {}, signal);
}

/** Answers with the keys that only a restart brings into force. */
export async function updateSettings(change: Settings): Promise<string[]> {
  const answer = await post<{ restart_required?: string[] }>("/api/update_settings", change);
  return answer.restart_required ?? [];
}

export async function readVersion(signal?: AbortSignal): Promise<string> {
  return (await get<{ version: string }>("/api/get_version", {}, signal)).version;
}

/** Whether there is a newer larder; `problem` is why nobody knows. */
export interface UpdateCheck {
  version: string;
  available: string | null;
  problem?: string;
}

export function checkUpdate(signal?: AbortSignal): Promise<UpdateCheck> {
  return post("/api/update", { check: true }, signal);
}

export async function startUpdate(): Promise<void> {
  await post("/api/update", {});
}

export function runCommand(command: string): Promise<CommandResult> {
  return post("/api/command", { command });
}

export function listFtpUsers(signal?: AbortSignal): Promise<FtpUser[]> {
  return get("/api/ftp/get_users", {}, signal);
}

export function listFtpSessions(signal?: AbortSignal): Promise<FtpSession[]> {
  return get("/api/ftp/sessions", {}, signal);
}

export interface FtpUserChange {
  username: string;
  path: string;
  permissions: string;
  /** Left out: as it is. */
  password?: string;
}

export async function createFtpUser(user: FtpUserChange): Promise<void> {
  await post("/api/ftp/create_user", user);
}

export async function editFtpUser(user: FtpUserChange): Promise<void> {
  await post("/api/ftp/edit_user", user);
}

export async function deleteFtpUser(username: string): Promise<void> {
  await post("/api/ftp/delete_user", { username });
}

/** Answers with the port it listens at, when it is on now. */
export async function switchFtp(isOn: boolean): Promise<number | undefined> {
  return (await post<{ port?: number }>(isOn ? "/api/ftp/start" : "/api/ftp/stop", {})).port;
}

export function readCloud(signal?: AbortSignal): Promise<CloudState> {
  return get("/api/cloud/get", {}, signal);
}

export async function manageCloud(ask: Record<string, unknown>): Promise<void> {
  await post("/api/cloud/manage", ask);
}
