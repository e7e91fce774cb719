// Every text is used, every used text exists, and every language has all of them.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import de from "./de.json";
import en from "./en.json";

const SOURCES = join(import.meta.dirname, "..");
const CODE = readdirSync(SOURCES, { recursive: true, encoding: "utf8" })
  .filter((file) => /\.(ts|svelte)$/.test(file) && !file.endsWith(".test.ts"))
  .map((file) => readFileSync(join(SOURCES, file), "utf8"))
  .join("\n");
/** String literals that look like keys: `"files.name"`. */
const USED = new Set([...CODE.matchAll(/"([a-zA-Z]+\.[a-zA-Z]+)"/g)].map((match) => match[1]));
const KEYS = Object.keys(en);
/** Rooms whose keys are made from larder's document of the API; endpoints.test.ts holds them to it. */
const MADE = ["endpoint", "group"];
const ROOMS = new Set(KEYS.map((key) => key.split(".")[0]));
/** The key without its plural form. */
const stemOf = (key: string) => key.replace(/\.(zero|one|two|few|many|other)$/, "");
const placesIn = (text: string) => [...text.matchAll(/\{\w+\}/g)].map((match) => match[0]).sort();

describe("the texts", () => {
  it("are all used", () => {
    const isMade = (key: string) => MADE.includes(key.split(".")[0] ?? "");
    expect(KEYS.filter((key) => !USED.has(stemOf(key)) && !isMade(key))).toEqual([]);
  });

  it("are all there", () => {
    const stems = new Set(KEYS.map(stemOf));
    // `input.txt` and its like have the shape of a key, but of no room of the catalogue.
    const wanted = [...USED].filter((key) => ROOMS.has(key?.split(".")[0] ?? ""));
    expect(wanted.length).toBeGreaterThan(50);
    expect(wanted.filter((key) => !stems.has(key ?? ""))).toEqual([]);
  });

  it("have the same keys in every language", () => {
    expect(Object.keys(de)).toEqual(KEYS);
  });

  it("have the same places in every language", () => {
    const german: Record<string, string> = de;
    for (const [key, text] of Object.entries(en)) {
      expect(placesIn(german[key] ?? ""), key).toEqual(placesIn(text));
    }
  });

  it("have every plural form their language asks for", () => {
    for (const [locale, catalogue] of Object.entries({ en, de })) {
      const forms = new Intl.PluralRules(locale).resolvedOptions().pluralCategories;
      const stems = new Set(KEYS.filter((key) => stemOf(key) !== key).map(stemOf));
      for (const stem of stems) {
        for (const form of forms) expect(catalogue, locale).toHaveProperty([`${stem}.${form}`]);
      }
    }
  });

  it("say du in German, never Sie", () => {
    // At the beginning of a sentence it means her, its or them.
    const polite = /(?<!^|[.!?:] )\b(Sie|Ihnen|Ihre?[mnrs]?)\b/;
    expect(Object.entries(de).filter(([, text]) => polite.test(text))).toEqual([]);
  });

  it("are never empty", () => {
    for (const text of [...Object.values(en), ...Object.values(de)]) expect(text.trim()).not.toBe("");
  });
});
