// The kinds of devices that open the share as a drive, and what each has to be told. Only strings; knows no page.
import { deviceOf } from "../profile/agents.ts";
import { davAddress } from "../state/address.ts";

export const DEVICES = ["mac", "windows", "linux", "android", "apple", "commands"] as const;
export type Device = (typeof DEVICES)[number];

/** By what `deviceOf` calls a system. */
const BY_SYSTEM: Record<string, Device> = {
  Mac: "mac",
  Windows: "windows",
  Linux: "linux",
  Android: "android",
  // Its own file manager opens no WebDAV, and it runs the apps of Android.
  ChromeOS: "android",
  iPhone: "apple",
  iPad: "apple",
};

/** The kind of device that a browser says it runs on; `undefined` where it does not say. */
export function deviceIn(agent: string): Device | undefined {
  const { system } = deviceOf(agent);
  return Object.hasOwn(BY_SYSTEM, system) ? BY_SYSTEM[system] : undefined;
}

/** All kinds, this one first. */
export function devicesFor(agent: string): readonly Device[] {
  const own = deviceIn(agent);
  return own === undefined ? DEVICES : [own, ...DEVICES.filter((one) => one !== own)];
}

/** Where a folder is opened as a drive. */
export function driveAddress(origin: string, folder: string): string {
  return folder === "" ? davAddress(origin, "") : `${davAddress(origin, folder)}/`;
}

/** The same address as a file manager of GNOME (`dav`) or KDE (`webdav`) writes it. */
export function inScheme(address: string, scheme: "dav" | "webdav"): string {
  return address.replace(/^http/, scheme);
}

/** The same page's origin over TLS: larder's port speaks both. */
export function secureOrigin({ protocol, hostname, port, origin }: Pick<Location, "protocol" | "hostname" | "port" | "origin">): string {
  if (protocol === "https:") return origin;
  return `https://${hostname}:${port === "" ? "80" : port}`;
}

/** Whether a page of this host was opened on the very machine that larder runs on, where nobody else gets by the same name. */
export function isOwnMachine(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(?:\.\d+){3}$/.test(hostname);
}

/** Who signs in, for commands: the key where it is known. */
interface SignIn {
  name: string;
  key: string | undefined;
}

/** What lists a folder with curl, which asks for the key. */
export function curlCommand(address: string, { name }: SignIn): string {
  return `curl --user ${quoted(name)} --request PROPFIND --header 'Depth: 1' ${quoted(address)}`;
}

/** What makes a drive known to rclone; `KEY` stands where the key does not exist yet. */
export function rcloneCommand(address: string, { name, key = "KEY" }: SignIn): string {
  const values = [`url=${quoted(address)}`, "vendor=other", `user=${quoted(name)}`, `pass=${quoted(key)}`];
  return `rclone config create larder webdav ${values.join(" ")} --obscure`;
}

/** A word as it is for shells, whatever is in it. */
function quoted(word: string): string {
  return /^[\w./:@%-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
