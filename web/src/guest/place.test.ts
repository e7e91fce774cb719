import { expect, it } from "vitest";
import { readPlace, writePlace } from "./place.ts";

it("says where one is, and is read again", () => {
  for (const place of [
    { folder: "", file: "" },
    { folder: "", file: "a b.jpg" },
    { folder: "Day 2/ä#?%", file: "" },
    { folder: "Day 2", file: "100 %.jpg" },
  ]) {
    expect(readPlace(writePlace(place))).toEqual(place);
  }
});

it("makes the best of what somebody typed", () => {
  expect(readPlace("")).toEqual({ folder: "", file: "" });
  expect(readPlace("#//Day%202//x")).toEqual({ folder: "Day 2", file: "x" });
  expect(readPlace("#%E0%A4%A")).toEqual({ folder: "", file: "%E0%A4%A" });
});
