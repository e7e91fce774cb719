// What the share sheet's fields mean: how long, how much, what guests may. Knows no page and no server.
import type { Link, LinkWish } from "../api/links.ts";

/** Until when a link is open: so many days from now, a day of the calendar, or for ever. */
export const UNTILS = ["7", "30", "90", "date", "never"] as const;
export type Until = (typeof UNTILS)[number];

/** What guests may. */
export type Rights = "read" | "write" | "both";

/** What becomes of a password that is there already. */
export type PasswordPlan = "keep" | "change" | "remove";

/** What is typed and chosen in the sheet. Numbers are as typed. */
export interface Form {
  label: string;
  until: Until;
  /** `YYYY-MM-DD`; counts where `until` says so. */
  date: string;
  rights: Rights;
  plan: PasswordPlan;
  password: string;
  downloads: string;
  files: string;
  gigabytes: string;
  hasGuestFolders: boolean;
}

export type Wrong = Partial<Record<"date" | "password" | "downloads" | "files" | "gigabytes", "needed" | "past" | "short" | "number">>;

/** Letters of the shortest password that larder takes. */
export const PASSWORD_MIN = 4;
const GIGABYTE = 1_000_000_000;
/** The largest number that is exact on its way through JSON. */
const COUNT_MAX = Number.MAX_SAFE_INTEGER;

export const FORM_AT_FIRST: Form = {
  label: "",
  until: "30",
  date: "",
  rights: "read",
  plan: "change",
  password: "",
  downloads: "",
  files: "",
  gigabytes: "",
  hasGuestFolders: false,
};

/** The form of a link that is there. */
export function formOf(link: Link): Form {
  const text = (count: number | null | undefined) => String(count ?? "");
  const bytes = link.upload_bytes_max;
  return {
    label: link.label,
    until: link.expires ? "date" : "never",
    date: link.expires ? dayOf(link.expires) : "",
    rights: link.read && link.write ? "both" : link.write ? "write" : "read",
    plan: link.has_password ? "keep" : "change",
    password: "",
    downloads: text(link.downloads_max),
    files: text(link.upload_files_max),
    gigabytes: text(bytes && bytes / GIGABYTE),
    hasGuestFolders: link.guest_folders,
  };
}

/** What keeps the form from being sent. */
export function wrongIn(form: Form, nowMs = Date.now()): Wrong {
  const wrong: Wrong = {};
  if (form.until === "date") {
    const end = endOfDay(form.date);
    if (end === undefined) wrong.date = "needed";
    else if (end.getTime() <= nowMs) wrong.date = "past";
  }
  const length = [...form.password].length;
  if (form.plan === "change" && length > 0 && length < PASSWORD_MIN) wrong.password = "short";
  if (form.rights !== "write" && countIn(form.downloads) === undefined) wrong.downloads = "number";
  if (form.rights !== "read" && countIn(form.files) === undefined) wrong.files = "number";
  if (form.rights !== "read" && bytesIn(form.gigabytes) === undefined) wrong.gigabytes = "number";
  return wrong;
}

/** The form as larder is asked for a new link. */
export function newWish(form: Form): LinkWish {
  const [downloads, files, bytes] = [countIn(form.downloads), countIn(form.files), bytesIn(form.gigabytes)];
  const label = form.label.trim();
  const expires = expiresOf(form);
  const isRead = form.rights !== "write";
  const isWrite = form.rights !== "read";
  return {
    read: isRead,
    write: isWrite,
    ...(label !== "" && { label }),
    ...(form.password !== "" && { password: form.password }),
    ...(expires !== null && { expires }),
    ...(isRead && downloads && { downloads_max: downloads }),
    ...(isWrite && files && { upload_files_max: files }),
    ...(isWrite && bytes && { upload_bytes_max: bytes }),
    ...(isWrite && { guest_folders: form.hasGuestFolders }),
  };
}

/** What of a link the form changes; nothing where it is as it was. */
export function changeOf(link: Link, form: Form): LinkWish {
  const before = formOf(link);
  const change: LinkWish = {};
  if (form.label.trim() !== before.label) change.label = form.label.trim();
  if (form.until !== before.until || form.date !== before.date) change.expires = expiresOf(form);
  if (form.rights !== before.rights) {
    change.read = form.rights !== "write";
    change.write = form.rights !== "read";
  }
  if (form.plan === "remove") change.password = "";
  else if (form.plan === "change" && form.password !== "") change.password = form.password;
  if (form.rights !== "write" && form.downloads !== before.downloads) change.downloads_max = countIn(form.downloads) ?? null;
  if (form.rights === "read") return change;
  if (form.files !== before.files) change.upload_files_max = countIn(form.files) ?? null;
  if (form.gigabytes !== before.gigabytes) change.upload_bytes_max = bytesIn(form.gigabytes) ?? null;
  if (form.hasGuestFolders !== before.hasGuestFolders) change.guest_folders = form.hasGuestFolders;
  return change;
}

/** When it ends: in so many days, at the end of a day of this clock, or never. */
function expiresOf({ until, date }: Form): string | number | null {
  if (until === "never") return null;
  if (until === "date") return endOfDay(date)?.toISOString() ?? null;
  return Number(until);
}

/** The last second of a day of this clock; `undefined` where it is none. */
export function endOfDay(day: string): Date | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) return undefined;
  const end = new Date(`${day}T23:59:59`);
  return Number.isNaN(end.getTime()) ? undefined : end;
}

/** The day of this clock on which a point in time is, as fields for dates take it. */
export function dayOf(when: string | number): string {
  const date = new Date(when);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** A whole number above 0; `null` where nothing is typed, `undefined` where it is none. */
export function countIn(text: string): number | null | undefined {
  if (text.trim() === "") return null;
  if (!/^\d+$/.test(text.trim())) return undefined;
  const count = Number(text);
  return count > 0 && count <= COUNT_MAX ? count : undefined;
}

/** Gigabytes as typed, in bytes; `null` where nothing is typed, `undefined` where it is no size. */
export function bytesIn(text: string): number | null | undefined {
  if (text.trim() === "") return null;
  // Whoever writes German writes a comma.
  const typed = text.trim().replace(",", ".");
  if (!/^\d*\.?\d+$/.test(typed)) return undefined;
  const bytes = Math.round(Number(typed) * GIGABYTE);
  return bytes > 0 && bytes <= COUNT_MAX ? bytes : undefined;
}
