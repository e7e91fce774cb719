import { expect, it } from "vitest";
import type { Entry } from "../api/types.ts";
import { neighboursOf } from "./neighbours.ts";

const entry = (name: string, mime: string): Entry => ({
  name,
  type: mime === "" ? "folder" : "file",
  size: 0,
  modified: "",
  mime,
  writable: true,
});
const entries = [
  entry("docs", ""),
  entry("a.jpg", "image/jpeg"),
  entry("b.zip", "application/zip"),
  entry("c.mp4", "video/mp4"),
];

it("goes from picture to film, past the rest", () => {
  expect(neighboursOf(entries, "c.mp4")).toEqual({ names: ["a.jpg", "c.mp4"], at: 1 });
  expect(neighboursOf(entries, "b.zip")).toEqual({ names: ["a.jpg", "b.zip", "c.mp4"], at: 1 });
  expect(neighboursOf(entries, "gone")).toMatchObject({ at: -1 });
});
