// Every text of the guest's page is used, and both languages have all of them.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import deBring from "../texts/guest/bring.de.json";
import enBring from "../texts/guest/bring.en.json";
import deFirst from "../texts/guest/de.json";
import enFirst from "../texts/guest/en.json";

const en = { ...enFirst, ...enBring };
const de = { ...deFirst, ...deBring };
const CODE = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
  .map((file) => readFileSync(join(import.meta.dirname, file), "utf8"))
  .join("\n");
const KEYS = Object.keys(en);
const PLURAL = /\.(one|other)$/;
const placesIn = (text: string) => [...text.matchAll(/\{\w+\}/g)].map((match) => match[0]).sort();

describe("the guest's texts", () => {
  it("are the same in both languages, with the same places", () => {
    expect(Object.keys(de)).toEqual(KEYS);
    const german: Record<string, string> = de;
    for (const [key, text] of Object.entries(en)) {
      expect(text.trim(), key).not.toBe("");
      expect(german[key]?.trim(), key).not.toBe("");
      expect(placesIn(german[key] ?? ""), key).toEqual(placesIn(text));
    }
  });

  it("are all used", () => {
    expect(KEYS.filter((key) => !CODE.includes(`"${key.replace(PLURAL, "")}"`))).toEqual([]);
  });

  it("have both forms of what is counted", () => {
    const stems = new Set(KEYS.filter((key) => PLURAL.test(key)).map((key) => key.replace(PLURAL, "")));
    for (const stem of stems) expect(KEYS).toEqual(expect.arrayContaining([`${stem}.one`, `${stem}.other`]));
  });

  it("say du in German, never Sie", () => {
    const polite = /(?<!^|[.!?:] )\b(Sie|Ihnen|Ihre?[mnrs]?)\b/;
    expect(Object.values(de).filter((text) => polite.test(text))).toEqual([]);
  });
});
