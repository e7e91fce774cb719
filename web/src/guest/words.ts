// The words of the guest's page: few enough to bring both languages along.
import de from "../texts/guest/de.json";
import en from "../texts/guest/en.json";
import { Problem, type ProblemKind } from "../lib/api/problem.ts";
import { readKept } from "../lib/state/keep.ts";
import { fill, pickLanguage, pickLocale, pluralIn } from "../lib/state/language.ts";

export type WordKey = keyof typeof en;
/** Keys that come as `<stem>.one` and `<stem>.other`. */
type Stem = WordKey extends infer Key ? (Key extends `${infer S}.other` ? S : never) : never;

const CATALOGUES: Record<"en" | "de", Record<string, string>> = { en, de };

let catalogue: Record<string, string> = en;
let chosen = "en";

/** Takes the language chosen on larder's other pages, else the browser's. */
export function startWords(): void {
  const language = pickLanguage(readKept("language"), navigator.languages);
  catalogue = CATALOGUES[language];
  chosen = pickLocale(language, navigator.languages);
  document.documentElement.lang = language;
}

/** The locale for dates and numbers. */
export const locale = (): string => chosen;

export function t(key: WordKey, values: Record<string, string | number> = {}): string {
  return fill(catalogue[key] ?? en[key], values);
}

/** The text for a number of things. */
export function plural(stem: Stem, count: number): string {
  return pluralIn(catalogue, stem, count, chosen);
}

/** What a guest is told of a problem; of all others that something went wrong. */
const PROBLEMS: Partial<Record<ProblemKind, WordKey>> = {
  away: "isAway",
  diskFull: "isFull",
  driveBusy: "isBusy",
  gone: "isUsedUp",
  missing: "isMissing",
  invalidName: "isBadName",
  readOnly: "isReadOnly",
  storageAbsent: "isDriveAway",
  tooSoon: "isTooSoon",
  unreadable: "isUnreadable",
};

export function describe(cause: unknown): string {
  if (!(cause instanceof Problem)) return t("isFault");
  if (cause.code === "limit_reached") return t("isLimit");
  return t(PROBLEMS[cause.kind] ?? "isFault");
}
