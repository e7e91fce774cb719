import { expect, it } from "vitest";
import type { Entry } from "../api/types.ts";
import { neighboursOf, pairsOf, soundsOf } from "./neighbours.ts";

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

it("leads to no sound, which is heard and not looked at", () => {
  const more = [...entries, entry("d.mp3", "audio/mpeg"), entry("e.ogg", "audio/ogg")];
  expect(neighboursOf(more, "b.zip").names).toEqual(["a.jpg", "b.zip", "c.mp4"]);
  expect(neighboursOf(more, "d.mp3").names).toEqual(["a.jpg", "b.zip", "c.mp4", "d.mp3"]);
  expect(soundsOf(more).map(({ name }) => name)).toEqual(["d.mp3", "e.ogg"]);
});

it("knows the films of Live Photos", () => {
  const live = [entry("IMG_1.HEIC", "image/heic"), entry("img_1.mov", "video/quicktime"), entry("IMG_2.JPG", "image/jpeg"), entry("IMG_3.png", "image/png"), entry("IMG_3.MOV", "video/quicktime")];
  expect([...pairsOf(live)]).toEqual([["IMG_1.HEIC", "img_1.mov"]]);
});
