// What is written to whoever gets a link.
import { listSome } from "../api/files.ts";
import type { Link } from "../api/links.ts";
import { kindOf } from "../state/kind.ts";
import { nameOf } from "../state/paths.ts";
import { t } from "../state/texts.svelte.ts";
import { nameOfPlace } from "./words.ts";

/** The whole address of a link; `origin` is where guests reach larder, "" where that is not known. */
export function addressOf(link: Pick<Link, "url">, origin: string): string {
  return new URL(link.url ?? "", origin || location.origin).href;
}

/** The message with a link's address; `arePictures` names them so. */
export function messageFor(link: Pick<Link, "path" | "type" | "read" | "write">, address: string, arePictures: boolean): string {
  const name = nameOfPlace(link);
  if (!link.read) return t("share.messageBring", { name, address });
  if (link.type === "file" && arePictures) return t("share.messagePicture", { address });
  if (link.write) return arePictures ? t("share.messagePicturesBoth", { address }) : t("share.messageBoth", { name, address });
  return arePictures ? t("share.messagePictures", { address }) : t("share.messageLook", { name, address });
}

/** Whether what a link leads to is pictures: most of what is seen first of it. */
export async function leadsToPictures(link: Pick<Link, "path" | "type">, signal: AbortSignal): Promise<boolean> {
  if (link.path === null) return false;
  if (link.type === "file") return isPicture("", link.path);
  const entries = await listSome(link.path, signal).catch(() => []);
  const seen = entries.filter(({ type, name }) => type === "file" && !name.startsWith("."));
  return seen.length > 0 && seen.filter(({ mime, name }) => isPicture(mime, name)).length * 2 > seen.length;
}

function isPicture(mime: string, path: string): boolean {
  const kind = kindOf(mime, nameOf(path));
  return kind === "image" || kind === "video";
}

/** Whether an address is reached in one's own network only, as far as its host tells. */
export function isAtHome(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[|\]$/g, "");
  if (/^(127|10)\.|^192\.168\.|^169\.254\.|^172\.(1[6-9]|2\d|3[01])\./.test(name)) return true;
  if (/^(::1|f[cd]|fe[89ab])/.test(name) && name.includes(":")) return true;
  return !name.includes(".") && !name.includes(":") ? true : /\.(local|lan|home|internal|home\.arpa|fritz\.box|localhost)$/.test(name);
}
