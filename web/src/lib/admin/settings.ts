// Every setting: where it belongs, how it is typed, and the words for it. Turns fields into values.
import type { SettingKey, Settings } from "../api/types.ts";
import type { TextKey } from "../state/texts.svelte.ts";

/** `lines` is a list with one entry a line; `words` a command, one word a line. */
export type SettingKind = "text" | "number" | "switch" | "lines";

export interface SettingAbout {
  key: SettingKey;
  kind: SettingKind;
  label: TextKey;
  help: TextKey;
  isReadOnly?: boolean;
}

export interface SettingGroup {
  title: TextKey;
  settings: readonly SettingAbout[];
}

/** Both texts are named in full, as everywhere: a test reads from that which texts are in use. */
const one = (key: SettingKey, kind: SettingKind, label: TextKey, help: TextKey): SettingAbout => ({
  key,
  kind,
  label,
  help,
});

export const GROUPS: readonly SettingGroup[] = [
  {
    title: "settings.groupFiles",
    settings: [
      one("path", "text", "settings.path", "settings.pathHelp"),
      one("trash_days", "number", "settings.trashDays", "settings.trashDaysHelp"),
      one("trash_percent", "number", "settings.trashPercent", "settings.trashPercentHelp"),
      one("versions_max", "number", "settings.versionsMax", "settings.versionsMaxHelp"),
      one("upload_days", "number", "settings.uploadDays", "settings.uploadDaysHelp"),
      one("thumbs_mb", "number", "settings.thumbsMb", "settings.thumbsMbHelp"),
      one("search_index", "switch", "settings.searchIndex", "settings.searchIndexHelp"),
      one("links", "switch", "settings.links", "settings.linksHelp"),
      one("dav", "switch", "settings.dav", "settings.davHelp"),
      one("dav_require_tls", "switch", "settings.davRequireTls", "settings.davRequireTlsHelp"),
      one("dav_litter", "text", "settings.davLitter", "settings.davLitterHelp"),
    ],
  },
  {
    title: "settings.groupNetwork",
    settings: [
      one("host", "text", "settings.host", "settings.hostHelp"),
      one("port", "number", "settings.port", "settings.portHelp"),
      one("discovery", "switch", "settings.discovery", "settings.discoveryHelp"),
      one("discovery_name", "text", "settings.discoveryName", "settings.discoveryNameHelp"),
      one("server_name", "text", "settings.serverName", "settings.serverNameHelp"),
      one("https", "text", "settings.https", "settings.httpsHelp"),
      one("https_port", "number", "settings.httpsPort", "settings.httpsPortHelp"),
      one("tls_cert", "text", "settings.tlsCert", "settings.tlsCertHelp"),
      one("tls_key", "text", "settings.tlsKey", "settings.tlsKeyHelp"),
      one("hsts_days", "number", "settings.hstsDays", "settings.hstsDaysHelp"),
      one("trusted_proxies", "lines", "settings.trustedProxies", "settings.trustedProxiesHelp"),
      one("public_url", "text", "settings.publicUrl", "settings.publicUrlHelp"),
      one("allowed_hosts", "lines", "settings.allowedHosts", "settings.allowedHostsHelp"),
      one("cors_origins", "lines", "settings.corsOrigins", "settings.corsOriginsHelp"),
      one("totp_roles", "lines", "settings.totpRoles", "settings.totpRolesHelp"),
    ],
  },
  {
    title: "settings.groupFtp",
    settings: [
      one("ftp", "switch", "settings.ftp", "settings.ftpHelp"),
      one("ftp_host", "text", "settings.ftpHost", "settings.ftpHostHelp"),
      one("ftp_port", "number", "settings.ftpPort", "settings.ftpPortHelp"),
      one("ftp_public_host", "text", "settings.ftpPublicHost", "settings.ftpPublicHostHelp"),
      one("ftp_passive_ports", "text", "settings.ftpPassive", "settings.ftpPassiveHelp"),
      one("ftp_timeout", "number", "settings.ftpTimeout", "settings.ftpTimeoutHelp"),
      one("ftp_require_tls", "switch", "settings.ftpTls", "settings.ftpTlsHelp"),
    ],
  },
  {
    title: "settings.groupBox",
    settings: [
      one("shutdown_command", "lines", "settings.shutdown", "settings.shutdownHelp"),
      one("restart_command", "lines", "settings.restart", "settings.restartHelp"),
      one("command_timeout", "number", "settings.commandTimeout", "settings.commandTimeoutHelp"),
      one("log_retention_days", "number", "settings.logDays", "settings.logDaysHelp"),
    ],
  },
  {
    title: "settings.groupOutside",
    settings: [
      one("update_url", "text", "settings.updateUrl", "settings.updateUrlHelp"),
      one("update_public_key", "text", "settings.updateKey", "settings.updateKeyHelp"),
      one("cloud_url", "text", "settings.cloudUrl", "settings.cloudUrlHelp"),
      { ...one("com_password", "text", "settings.comPassword", "settings.comPasswordHelp"), isReadOnly: true },
      { ...one("version", "text", "settings.version", "settings.versionHelp"), isReadOnly: true },
    ],
  },
];

/** What an option or the environment has set at the start, which no saved value changes. */
export function heldIn(settings: Settings | undefined): Partial<Settings> {
  return settings?.in_force ?? {};
}

/** The value of a setting that is in force. */
export function inForce<K extends SettingKey>(settings: Settings | undefined, key: K): Settings[K] | undefined {
  const held = heldIn(settings);
  return Object.hasOwn(held, key) ? held[key] : settings?.[key];
}

/** A value as it is typed. */
export function toText(value: unknown): string {
  if (Array.isArray(value)) return value.map(String).join("\n");
  if (typeof value === "string") return value;
  return value === undefined || value === null ? "" : JSON.stringify(value);
}

/** What was typed as a value; what is no number stays text, and the server says what is wrong. */
export function toValue(kind: SettingKind, text: string): unknown {
  if (kind === "lines") {
    return text
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "");
  }
  if (kind === "number" && /^-?\d+$/.test(text.trim())) return Number(text.trim());
  return text.trim();
}

/** The key and the reason in `Invalid settings: <key>: <why>`. */
export function readComplaint(message: string): { key: string; why: string } | undefined {
  const found = /^Invalid settings: ([^:]+): (.+)$/s.exec(message);
  return found?.[1] && found[2] ? { key: found[1], why: found[2] } : undefined;
}
