// What the fields for a new key mean. Knows no page and no server.
import type { Key, KeyDoor, KeyWish } from "../api/keys.ts";

/** The doors that a key may be for. */
export const DOORS: readonly KeyDoor[] = ["api", "dav", "ftp"];

/** So many days from now, or for ever. */
export const LASTS = ["30", "365", "never"] as const;
export type Lasts = (typeof LASTS)[number];

export interface KeyForm {
  label: string;
  path: string;
  mayWrite: boolean;
  doors: readonly KeyDoor[];
  lasts: Lasts;
}

export const KEY_FORM_AT_FIRST: KeyForm = { label: "", path: "", mayWrite: false, doors: DOORS, lasts: "365" };

export type KeyWrong = Partial<Record<"label" | "doors", true>>;

/** What is missing. */
export function judgeKey({ label, doors }: KeyForm): KeyWrong {
  return { ...(label.trim() === "" && { label: true }), ...(doors.length === 0 && { doors: true }) };
}

/** What is left out means what it means to larder: everything of one's own, every door, for ever. */
export function keyWishOf({ label, path, mayWrite, doors, lasts }: KeyForm): KeyWish {
  return {
    label: label.trim(),
    write: mayWrite,
    ...(path !== "" && { path }),
    ...(doors.length < DOORS.length && { doors: [...doors] }),
    ...(lasts !== "never" && { expires: Number(lasts) }),
  };
}

/** Whether a key has ended. */
export function isOver({ expires }: Key, now = Date.now()): boolean {
  return expires !== null && expires !== undefined && Date.parse(expires) <= now;
}

/** Whether a key opens every door. */
export function opensAll(doors: readonly KeyDoor[]): boolean {
  return doors.length === DOORS.length;
}
