// The words of the guest's page: few enough to bring both languages along. Those of bringing come with what brings.
import type enBring from "../texts/guest/bring.en.json";
import de from "../texts/guest/de.json";
import en from "../texts/guest/en.json";
import { Problem, type ProblemKind } from "../lib/api/problem.ts";
import { readKept } from "../lib/state/keep.ts";
import { fill, pickLanguage, pickLocale, pluralIn } from "../lib/state/language.ts";

export type WordKey = keyof typeof en | keyof typeof enBring;
/** Keys that come as `<stem>.one` and `<stem>.other`. */
type Stem = WordKey extends infer Key ? (Key extends `${infer S}.other` ? S : never) : never;

type Catalogues = Record<"en" | "de", Record<string, string>>;

const CATALOGUES: Catalogues = { en: { ...en }, de: { ...de } };

let catalogue = CATALOGUES.en;
let chosen = "en";

/** Takes the language chosen on larder's other pages, else the browser's. */
export function startWords(): void {
  const language = pickLanguage(readKept("language"), navigator.languages);
  catalogue = CATALOGUES[language];
  chosen = pickLocale(language, navigator.languages);
  document.documentElement.lang = language;
}

/** More words, that came later. */
export function addWords(more: Catalogues): void {
  Object.assign(CATALOGUES.en, more.en);
  Object.assign(CATALOGUES.de, more.de);
}

/** The locale for dates and numbers. */
export const locale = (): string => chosen;

export function t(key: WordKey, values: Record<string, string | number> = {}): string {
  return fill(catalogue[key] ?? key, values);
}

/** The text for a number of things. */
export function plural(stem: Stem, count: number): string {
  return pluralIn(catalogue, stem, count, chosen);
}

/** What passes: some of it is tried again by itself. */
const PASSING: readonly WordKey[] = ["isAway", "isBusy", "isDriveAway", "isTooSoon"];
/** What a guest is told of a problem; of all others that something went wrong. */
const PROBLEMS: Partial<Record<ProblemKind, WordKey>> = {
  away: "isAway",
  diskFull: "isFull",
  driveBusy: "isBusy",
  gone: "isUsedUp",
  locked: "isLocked",
  missing: "isMissing",
  invalidName: "isBadName",
  readOnly: "isReadOnly",
  storageAbsent: "isDriveAway",
  tooSoon: "isTooSoon",
  unreadable: "isUnreadable",
};

/** `isRetried`: it goes on by itself once that has passed. */
export function describe(cause: unknown, isRetried = false): string {
  if (!(cause instanceof Problem)) return t("isFault");
  if (cause.code === "limit_reached") return t("isLimit");
  const key = PROBLEMS[cause.kind] ?? "isFault";
  return PASSING.includes(key) ? `${t(key)} ${t(isRetried ? "goesOn" : "tryLater")}` : t(key);
}
