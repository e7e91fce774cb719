import { expect, it } from "vitest";
import { folderWords } from "./folderWords.ts";

it("says what may be reached", () => {
  expect(folderWords([])).toBe("Nothing");
  expect(folderWords(["music", ""])).toBe("Everything");
  expect(folderWords(["music", "films/old"])).toBe("/music, /films/old");
});
