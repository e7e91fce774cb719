// Which of the pages' languages a reader gets, and how a text is filled in. Knows no catalogue and no page.

/** The languages by their own names. */
export const LANGUAGES = { en: "English", de: "Deutsch" } as const;
export type Language = keyof typeof LANGUAGES;

/** The language kept if it is one of ours, else the first wanted one we have, else English. */
export function pickLanguage(kept: string | null, wanted: readonly string[]): Language {
  const bases = [kept ?? "", ...wanted].map((tag) => tag.split("-")[0]?.toLowerCase() ?? "");
  return bases.find((base): base is Language => Object.hasOwn(LANGUAGES, base)) ?? "en";
}

/** The reader's first variant of a language (`en-GB`), else the bare language. */
export function pickLocale(chosen: Language, wanted: readonly string[]): string {
  return wanted.find((tag) => tag.split("-")[0]?.toLowerCase() === chosen) ?? chosen;
}

/** A text with its `{name}` places filled. */
export function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (place, name: string) => String(values[name] ?? place));
}

/** The text of a catalogue for a number of things, in the plural form of the language. */
export function pluralIn(
  catalogue: Record<string, string>,
  stem: string,
  count: number,
  locale: string,
  values: Record<string, string | number> = {},
): string {
  const form = new Intl.PluralRules(locale).select(count);
  const text = catalogue[`${stem}.${form}`] ?? catalogue[`${stem}.other`] ?? "";
  return fill(text, { ...values, count: new Intl.NumberFormat(locale).format(count) });
}
