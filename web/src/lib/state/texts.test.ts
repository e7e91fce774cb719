import { expect, it } from "vitest";
import { pickLanguage, pickLocale, plural, t } from "./texts.svelte.ts";

it("takes the language chosen before, else the browser's first one that is there", () => {
  expect(pickLanguage("de", ["en-GB"])).toBe("de");
  expect(pickLanguage(null, ["fr-FR", "de-AT", "en"])).toBe("de");
  expect(pickLanguage(null, ["fr", "ja"])).toBe("en");
  expect(pickLanguage("constructor", [])).toBe("en");
});

it("writes dates as the reader's own variant does", () => {
  expect(pickLocale("en", ["de", "en-GB", "en-US"])).toBe("en-GB");
  expect(pickLocale("de", ["en-GB"])).toBe("de");
});

it("fills places, and never reads a value as a place", () => {
  expect(t("files.more", { name: "{name}" })).toBe("Actions for {name}");
  expect(t("files.more", { name: "$& <b>" })).toBe("Actions for $& <b>");
});

it("counts", () => {
  expect(plural("files.items", 1)).toBe("1 item");
  expect(plural("files.items", 20_000)).toBe("20,000 items");
});
