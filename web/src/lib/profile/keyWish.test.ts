import { expect, it } from "vitest";
import type { Key } from "../api/keys.ts";
import { isOver, judgeKey, KEY_FORM_AT_FIRST, keyWishOf, opensAll } from "./keyWish.ts";

const form = { ...KEY_FORM_AT_FIRST, label: " Phone " };

it("says what is missing", () => {
  expect(judgeKey(form)).toEqual({});
  expect(judgeKey({ ...form, label: "  ", doors: [] })).toEqual({ label: true, doors: true });
});

it("leaves out what larder takes for granted", () => {
  expect(keyWishOf({ ...form, lasts: "never" })).toEqual({ label: "Phone", write: false });
  expect(keyWishOf({ label: "TV", path: "films", mayWrite: true, doors: ["ftp"], lasts: "30" })).toEqual({
    label: "TV",
    write: true,
    path: "films",
    doors: ["ftp"],
    expires: 30,
  });
});

it("knows when a key is over", () => {
  const key = (expires: string | null) => ({ expires }) as Key;
  expect(isOver(key(null))).toBe(false);
  expect(isOver(key("2026-01-01T00:00:00Z"), Date.UTC(2026, 0, 1))).toBe(true);
  expect(isOver(key("2026-01-01T00:00:01Z"), Date.UTC(2026, 0, 1))).toBe(false);
});

it("knows a key for every door", () => {
  expect(opensAll(["api", "dav", "ftp"])).toBe(true);
  expect(opensAll(["api", "ftp"])).toBe(false);
});
