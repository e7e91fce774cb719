// The words of the pages, in the reader's language. Every text is in `src/texts`, none elsewhere.
import en from "../../texts/en.json";
import { fill, type Language, pickLanguage, pickLocale, pluralIn } from "./language.ts";

export { type Language, LANGUAGES, pickLanguage, pickLocale } from "./language.ts";

export type TextKey = keyof typeof en;
/** Keys that come as `<stem>.one`, `<stem>.other`, one for each plural form of a language. */
export type PluralStem = TextKey extends infer Key
  ? Key extends `${infer Stem}.other`
    ? Stem
    : never
  : never;
type Catalogue = Record<string, string>;

/** English is at hand at once; others load when wanted. */
const LOADERS: Record<Language, () => Promise<Catalogue>> = {
  en: () => Promise.resolve(en),
  de: async () => (await import("../../texts/de.json")).default,
};

const KEPT_AS = "larder.language";

const now = $state<{ language: Language; locale: string; catalogue: Catalogue }>({
  language: "en",
  locale: "en",
  catalogue: en,
});

/** The language in use. */
export function language(): Language {
  return now.language;
}

/** The locale for dates and numbers: the reader's own variant of the language in use. */
export function locale(): string {
  return now.locale;
}

/** Whether there is a text for a key that was put together. */
export function isTextKey(key: string): key is TextKey {
  return Object.hasOwn(en, key);
}

/** The text for `key`, with `{name}` places filled. */
export function t(key: TextKey, values: Record<string, string | number> = {}): string {
  return fill(now.catalogue[key] ?? en[key], values);
}

/** The text for a number of things; `{count}` is the number as one writes it. */
export function plural(stem: PluralStem, count: number, values: Record<string, string | number> = {}): string {
  return pluralIn(now.catalogue, stem, count, now.locale, values);
}

/** Takes the language chosen before, else the first one the browser asks for that larder has. */
export async function startLanguage(): Promise<void> {
  let kept: string | null = null;
  try {
    kept = localStorage.getItem(KEPT_AS);
  } catch {
    // The browser keeps nothing; its own languages decide.
  }
  await speak(pickLanguage(kept, navigator.languages));
}

/** Changes the language and remembers it. */
export async function chooseLanguage(wanted: Language): Promise<void> {
  await speak(wanted);
  try {
    localStorage.setItem(KEPT_AS, wanted);
  } catch {
    // Then it lasts as long as this page.
  }
}

async function speak(wanted: Language): Promise<void> {
  try {
    now.catalogue = await LOADERS[wanted]();
    now.language = wanted;
  } catch {
    // The catalogue could not be loaded; the language in use stays.
  }
  now.locale = pickLocale(now.language, navigator.languages);
  document.documentElement.lang = now.language;
}
