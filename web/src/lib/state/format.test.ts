import { describe, expect, it } from "vitest";
import { formatDate, formatDay, formatDuration, formatSize } from "./format.ts";

describe("sizes", () => {
  it.each([
    [0, "0 bytes"],
    [1, "1 byte"],
    [999, "999 bytes"],
    [1000, "1 kB"],
    [1500, "1.5 kB"],
    [99_940, "99.9 kB"],
    [123_456, "123 kB"],
    [999_940, "1 MB"],
    [4_294_967_296, "4.3 GB"],
    [9_007_199_254_740_991, "9 PB"],
  ])("%i bytes are %s", (bytes, words) => {
    expect(formatSize(bytes, "en")).toBe(words);
  });

  it("are written as the reader writes", () => {
    expect(formatSize(1500, "de")).toBe("1,5 kB");
  });
});

describe("dates", () => {
  it("are written as the reader writes", () => {
    expect(formatDay("2024-03-05T12:00:00Z", "de")).toBe("05.03.2024");
    expect(formatDate("2024-03-05T12:00:00Z", "en")).toMatch(/^Mar 5, 2024, \d/);
  });

  it("are nothing when they are none", () => {
    expect(formatDate("", "en")).toBe("");
    expect(formatDay("yesterday", "en")).toBe("");
  });
});

it.each([
  [0, "0 sec"],
  [59.6, "1 min"],
  [61, "1 min 1 sec"],
  [3600, "1 hr"],
  [90_061, "1 day 1 hr"],
])("%d seconds are %s", (seconds, words) => {
  expect(formatDuration(seconds, "en")).toBe(words);
});
