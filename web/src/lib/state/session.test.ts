import { expect, it } from "vitest";
import { readPrefixes } from "./session.svelte.ts";

it.each([
  ['[""]', [""]],
  ['["photos","docs/shared"]', ["photos", "docs/shared"]],
  ["[]", []],
  [undefined, []],
  ["", []],
  ["photos", []],
  ['"photos"', []],
  ['{"0":"photos"}', []],
  ['["photos",1,null]', ["photos"]],
])("the prefixes in %j", (json, prefixes) => {
  expect(readPrefixes(json)).toEqual(prefixes);
});
