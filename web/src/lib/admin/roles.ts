// The roles one may choose from: those there are, and the one that is made when it is first given.
import type { Roles } from "../api/types.ts";
import { editRoles, readRoles } from "../api/users.ts";
import { t, type TextKey } from "../state/texts.svelte.ts";
import { FILE_ENDPOINTS } from "./endpoints.ts";

/** For those who keep files here and have no say about the box; its name in `roles.json`. */
export const FAMILY = "family";

/** Roles whose names mean something to larder; the others were named by people. */
const LABELS: Record<string, TextKey> = { admin: "role.admin", [FAMILY]: "role.family" };

/** The role of somebody new: nobody is given the whole box by not looking. "" where there is none. */
export function roleForNew(roles: readonly string[], mayMakeRole: boolean): string {
  if (mayMakeRole || roles.includes(FAMILY)) return FAMILY;
  return roles.find((one) => one !== "admin") ?? "";
}

/** A role in the reader's words. */
export function roleLabel(role: string): string {
  const key = Object.hasOwn(LABELS, role) ? LABELS[role] : undefined;
  return key === undefined ? role : t(key);
}

/** The roles that allow anything at all. */
export function rolesWithRights(roles: Roles): Set<string> {
  return new Set(Object.values(roles).flat());
}

/** The roles with one for those who keep files here, and share them. */
export function withFamily(roles: Roles): Roles {
  const given = new Set<string>([...FILE_ENDPOINTS, "/api/link/create"]);
  return Object.fromEntries(
    Object.entries(roles).map(([path, list]) => [path, given.has(path) ? [...list, FAMILY] : list]),
  );
}

/** Makes the ready role, unless somebody has made one of that name meanwhile. */
export async function makeFamily(): Promise<void> {
  const roles = await readRoles();
  if (!rolesWithRights(roles).has(FAMILY)) await editRoles(withFamily(roles));
}
