// What larder says of a second factor when somebody signs in.
import { Problem } from "../api/problem.ts";
import { t } from "../state/texts.svelte.ts";

/** Whether the password is right and a code is wanted: one at all, or another one. */
export function wantsCode(cause: unknown): boolean {
  return cause instanceof Problem && ["codeRequired", "wrongCode", "clockNotSet"].includes(cause.kind);
}

/** What is wrong with the code; nothing where there was none yet. */
export function codeErrorOf(cause: unknown): string {
  if (!(cause instanceof Problem)) return "";
  if (cause.kind === "clockNotSet") return t("problem.clockNotSet");
  return cause.kind === "wrongCode" ? t("problem.wrongCode") : "";
}
