// A problem in the reader's words.
import { Problem, type ProblemKind } from "../api/problem.ts";
import { nameOf } from "./paths.ts";
import { locale, t, type TextKey } from "./texts.svelte.ts";
import { readable } from "./rawNames.ts";

const WORDS: Record<ProblemKind, TextKey> = {
  signedOut: "problem.signedOut",
  wrongPassword: "problem.wrongPassword",
  codeRequired: "problem.codeRequired",
  wrongCode: "problem.wrongCode",
  clockNotSet: "problem.clockNotSet",
  secondFactorNeeded: "problem.secondFactorNeeded",
  refused: "problem.refused",
  deniedByDrive: "problem.deniedByDrive",
  invalid: "problem.invalid",
  invalidName: "problem.invalidName",
  tooMany: "problem.tooMany",
  missing: "problem.missing",
  gone: "problem.gone",
  collision: "problem.collision",
  conflict: "problem.conflict",
  locked: "problem.locked",
  remains: "problem.remains",
  tooLarge: "problem.tooLarge",
  tooSoon: "problem.tooSoon",
  diskFull: "problem.diskFull",
  readOnly: "problem.readOnly",
  storageAbsent: "problem.storageAbsent",
  driveBusy: "problem.driveBusy",
  unknownHost: "problem.unknownHost",
  unreadable: "problem.unreadable",
  away: "problem.away",
  fault: "problem.fault",
};

/** More names than these are not read in a message. */
const NAMES_MAX = 3;

/** Larder tells whose lock it is in its sentence alone (second contract, section 14). */
const LOCKED_BY = /^Locked by (.+)$/s;

export function describe(cause: unknown): string {
  if (!(cause instanceof Problem)) return describeKind("fault");
  const { kind, failed, message } = cause;
  if (kind === "remains" && failed.length > 0) return t("problem.remainsNamed", { names: listNames(failed) });
  const name = kind === "locked" ? LOCKED_BY.exec(message)?.[1] : undefined;
  return name === undefined ? describeKind(kind) : t("problem.lockedBy", { name });
}

export function describeKind(kind: ProblemKind): string {
  return t(WORDS[kind]);
}

/** The names of what lies at these paths, as far as one reads them. */
function listNames(paths: readonly string[]): string {
  const names = paths.slice(0, NAMES_MAX).map((path) => t("app.quoted", { name: readable(nameOf(path)) }));
  if (paths.length > NAMES_MAX) names.push(t("problem.others"));
  return new Intl.ListFormat(locale(), { type: "conjunction" }).format(names);
}
