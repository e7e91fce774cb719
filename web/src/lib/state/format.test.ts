import { describe, expect, it } from "vitest";
import { formatDate, formatDay, formatDuration, formatLogTime, formatSize } from "./format.ts";

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

  it("of the log keep the server's clock, to the second", () => {
    expect(formatLogTime("2026-11-25 15:12:14", "de")).toBe("25.11.2026, 15:12:14");
    expect(formatLogTime("2026-11-25 15:12:14", "en-GB")).toBe("25 Nov 2026, 15:12:14");
    // An hour that the clocks of many readers leave out.
    expect(formatLogTime("2026-03-29 02:30:00", "de")).toBe("29.03.2026, 02:30:00");
    expect(formatLogTime("long ago", "de")).toBe("long ago");
  });

  it("are nothing when they are none", () => {
    expect(formatDate("", "en")).toBe("");
    expect(formatDay("yesterday", "en")).toBe("");
  });
});

it.each([
  [0, "0 seconds"],
  [59.6, "1 minute"],
  [61, "1 minute 1 second"],
  [3600, "1 hour"],
  [90_061, "1 day 1 hour"],
])("%d seconds are %s", (seconds, words) => {
  expect(formatDuration(seconds, "en")).toBe(words);
});
