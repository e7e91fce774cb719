// What a setting may be, as the server will judge it, and the server's complaints in the reader's words.
import type { SettingKey } from "../api/types.ts";
import { t, type TextKey } from "../state/texts.svelte.ts";

/** What is wrong with a value; shown in whatever language is in use then. */
export interface Wrong {
  key: TextKey;
  values: Record<string, string | number>;
}

type Rule = (value: unknown) => Wrong | undefined;

const wrong = (key: TextKey, values: Wrong["values"] = {}): Wrong => ({ key, values });

const number =
  (least: number, most: number): Rule =>
  (value) =>
    Number.isInteger(value) && Number(value) >= least && Number(value) <= most
      ? undefined
      : wrong("settings.wrongNumber", { least, most });

const text =
  (isRight: (value: string) => boolean, key: TextKey): Rule =>
  (value) =>
    isRight(String(value)) ? undefined : wrong(key);

/** A list whose first wrong line is named. */
const lines =
  (isRight: (line: string) => boolean, key: TextKey): Rule =>
  (value) => {
    const bad = (Array.isArray(value) ? value.map(String) : []).find((line) => !isRight(line));
    return bad === undefined ? undefined : wrong(key, { text: bad });
  };

const PORT_MAX = 65_535;
const port = number(0, PORT_MAX);
const address = text(isAddress, "settings.wrongAddress");
const url = text((value) => value === "" || /^https?:\/\/[^/\s]\S*$/.test(value), "settings.wrongUrl");
const command: Rule = (value) =>
  Array.isArray(value) && value.length > 0 ? undefined : wrong("settings.wrongProgram");

/** The server's own rules, so that all that is wrong shows at once; it has the last word. */
const RULES: Partial<Record<SettingKey, Rule>> = {
  host: address,
  port,
  https: text((value) => /^(on|only|off)$/.test(value), "settings.wrongHttps"),
  dav_litter: text((value) => /^(refuse|keep)$/.test(value), "settings.wrongDavLitter"),
  https_port: port,
  discovery_name: text((value) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(value), "settings.wrongLabel"),
  server_name: text(isServerName, "settings.wrongServerName"),
  hsts_days: number(0, 730),
  path: text((value) => value !== "", "settings.wrongFolder"),
  trusted_proxies: lines(isNetwork, "settings.wrongNetwork"),
  public_url: text((value) => value === "" || isOrigin(value.replace(/\/$/, "")), "settings.wrongUrl"),
  allowed_hosts: lines(isHost, "settings.wrongHost"),
  cors_origins: lines(isOrigin, "settings.wrongOrigin"),
  log_retention_days: number(1, 36_500),
  cloud_url: url,
  update_url: url,
  // 32 bytes in base64.
  update_public_key: text((value) => value === "" || /^[A-Za-z0-9+/]{43}=$/.test(value), "settings.wrongKey"),
  ftp_host: text((value) => value === "" || isAddress(value), "settings.wrongAddress"),
  ftp_port: port,
  ftp_timeout: number(1, 86_400),
  ftp_passive_ports: text(isPortRange, "settings.wrongPorts"),
  shutdown_command: command,
  restart_command: command,
  command_timeout: number(1, 3600),
  trash_days: number(0, 36_500),
  trash_percent: number(0, 90),
  versions_max: number(1, 1000),
  upload_days: number(1, 90),
  thumbs_mb: number(0, 1_048_576),
};

/** Letters that are not seen and make others read otherwise than they are written. */
const MISLEADING = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;

/** Whether this is a name of 1 to 63 bytes that reads as it is written. */
function isServerName(value: string): boolean {
  const bytes = new TextEncoder().encode(value).length;
  return bytes >= 1 && bytes <= 63 && !MISLEADING.test(value);
}

/** What is wrong with each of some new values. */
export function checkSettings(changes: Record<string, unknown>): Record<string, Wrong> {
  const rules: Partial<Record<string, Rule>> = RULES;
  const found = Object.entries(changes).map(([key, value]) => [key, rules[key]?.(value)] as const);
  return Object.fromEntries(found.filter((one): one is [string, Wrong] => one[1] !== undefined));
}

/** The server's reasons. */
const SAID: Record<string, TextKey> = {
  "there is no such folder": "settings.wrongMissing",
  "is not a folder": "settings.wrongNoFolder",
  "larder must be able to write there": "settings.wrongUnwritable",
  "would share larder's own state directory": "settings.wrongState",
  "must be one label of 1 to 63 letters, digits and hyphens, such as larder": "settings.wrongLabel",
  "must have 1 to 63 bytes, and no control characters or marks that turn its direction": "settings.wrongServerName",
};

/** The server's reason in the reader's words; one that is not known, as it is. */
export function wordsFor(why: string): string {
  const key = Object.hasOwn(SAID, why) ? SAID[why] : undefined;
  return key === undefined ? why : t(key);
}

function isAddress(value: string): boolean {
  const parts = value.split(".");
  if (parts.length === 4) return parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
  return value.includes(":") && URL.canParse(`http://[${value}]/`);
}

function isOrigin(value: string): boolean {
  return /^https?:\/\/[^/?#@*\s]+$/.test(value);
}

/** A name of a server, `*` before it for all below it, or `*` for any. */
function isHost(value: string): boolean {
  const name = value.trim().replace(/\.$/, "").replace(/^\*\./, "");
  return value.trim() === "*" || (name.length <= 253 && name.split(".").every((label) => /^[\w-]{1,63}$/.test(label)));
}

function isNetwork(value: string): boolean {
  const [start = "", bits, ...more] = value.split("/");
  const bitsMax = start.includes(":") ? 128 : 32;
  const isLength = bits === undefined || (/^\d+$/.test(bits) && Number(bits) <= bitsMax);
  return more.length === 0 && isAddress(start) && isLength;
}

/** First and last of a range of ports that need no special rights. */
function isPortRange(value: string): boolean {
  const found = /^\s*(\d+)\s*-\s*(\d+)\s*$/.exec(value);
  const [first, last] = [Number(found?.[1]), Number(found?.[2])];
  return found !== null && first >= 1024 && first <= last && last <= PORT_MAX;
}
