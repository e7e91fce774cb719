// The box itself: settings, logs, resources, commands, FTP, updates, cloud.
import { get, headAt, post } from "./http.ts";
import type {
  CloudAsk,
  CloudState,
  CommandResult,
  FtpSession,
  FtpUser,
  FtpUserChange,
  LogRow,
  NewFtpUser,
  Resources,
  Settings,
  SettingsChange,
  UpdateCheck,
} from "./types.ts";

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

/** Rows older than `before` (an id), or the newest; those of a door, or of a path and below, where they are named. */
export function readLogs(
  limit: number,
  before?: number,
  signal?: AbortSignal,
  only: { door?: string; path?: string } = {},
): Promise<LogRow[]> {
  return get("/api/get_logs", { limit, before, ...only }, signal);
}

export function readSettings(signal?: AbortSignal): Promise<Settings> {
  return get("/api/get_settings", {}, signal);
}

/** Answers with the keys that only a restart brings into force. */
export async function updateSettings(change: SettingsChange): Promise<string[]> {
  const answer = await post("/api/update_settings", change);
  return answer.restart_required;
}

/** The fingerprint of the authority that vouches for larder; "" where there is none. */
export async function readFingerprint(signal?: AbortSignal): Promise<string> {
  return (await get("/api/get_version", {}, signal)).ca_fingerprint ?? "";
}

/** The page that shows how each kind of device is told to trust larder. */
export const TRUST_PAGE = "/ca";

/** Whether larder vouches for itself: with certificates of the owner's own, or without HTTPS, there is no such page. */
export function hasOwnAuthority(signal?: AbortSignal): Promise<boolean> {
  return headAt(TRUST_PAGE, TRUST_PAGE, signal).then(
    () => true,
    () => false,
  );
}

export async function readVersion(signal?: AbortSignal): Promise<string> {
  return (await get("/api/get_version", {}, signal)).version;
}

/** Whether there is a newer larder; `problem` is why nobody knows. */
export async function checkUpdate(signal?: AbortSignal): Promise<UpdateCheck> {
  // Asked to look, it starts none.
  return (await post("/api/update", { check: true }, signal)) as UpdateCheck;
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

export async function createFtpUser(user: NewFtpUser): Promise<void> {
  await post("/api/ftp/create_user", user);
}

/** What is left out stays as it is. */
export async function editFtpUser(user: FtpUserChange): Promise<void> {
  await post("/api/ftp/edit_user", user);
}

export async function deleteFtpUser(username: string): Promise<void> {
  await post("/api/ftp/delete_user", { username });
}

/** Answers with the port it listens at, when it is on now. */
export async function switchFtp(isOn: boolean): Promise<number | undefined> {
  const answer = await post(isOn ? "/api/ftp/start" : "/api/ftp/stop", {});
  return "port" in answer ? answer.port : undefined;
}

export function readCloud(signal?: AbortSignal): Promise<CloudState> {
  return get("/api/cloud/get", {}, signal);
}

export async function manageCloud(ask: CloudAsk): Promise<void> {
  await post("/api/cloud/manage", ask);
}
